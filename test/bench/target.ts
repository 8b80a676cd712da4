/** The application of the benchmark; nobody else's. */
export const APP_ID = 948_001;
export const IMAGE = 'supercargo-bench:1';
/** What the agent's containers and network carry. */
export const AGENT_LABEL = `io.balena.app-id=${APP_ID}`;

/** A service that was changed carries another environment. */
export type Changed = Readonly<Record<string, string>>;

export const serviceName = (index: number): string => `s${index}`;

/** A Supervisor target state (v2) of `count` services on one bridge network; 0 empties the device. Pure. */
export function targetState(count: number, changed: Changed = {}): object {
  const services = Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const name = serviceName(index + 1);
      return [
        String(index + 1),
        {
          serviceName: name,
          imageId: index + 1,
          image: IMAGE,
          environment: { GREETING: changed[name] ?? 'hello' },
          labels: {},
          command: ['sleep', '1000000'],
          stop_signal: 'SIGKILL', // sleep ignores SIGTERM as process 1; nobody wants to measure the grace period
        },
      ];
    }),
  );
  const app = { name: 'bench', commit: 'bench', releaseId: '1', services, volumes: {}, networks: {} };
  return { local: { name: 'bench', config: {}, apps: count === 0 ? {} : { [APP_ID]: app } } };
}
