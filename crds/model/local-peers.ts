/** Both ends of a TCP connection, as the server's socket has them. */
export interface Connection {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** Finds out who is at the other end of a connection within this machine. */
export interface LocalPeers {
  /**
   * Tells whether the kernel says that the other end belongs to root or to the agent's own user, and to no container.
   * False where it does not tell. Never rejects.
   */
  isOwner(connection: Connection): Promise<boolean>;
}
