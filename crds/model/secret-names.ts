/** Names of variables, labels and options that hold what nobody is to read. */
const SECRET =
  /pass(?:word|wd|phrase|code)?$|^pass|secret|token|credential|private|authorization|api_?key|(?:^|[_.-])(?:key|pin|auth|jwt|salt|dsn|psk|cookie)(?:$|[_.-])|[_.-]pwd$/i;
/** The login in a URL: a name and a password, and of http also a name alone, which may be a token. */
const USERINFO = /(\/\/)[^/\s"'@:]*:[^/\s"'@]*@|(https?:\/\/)[^/\s"'@]+@/gi;

/** Whether a value under that name is to be masked: `DB_PASSWORD`, `--api-token`, `accessKey`. Pure. */
export const isSecretName = (name: string): boolean =>
  SECRET.test(name) || SECRET.test(name.replaceAll(/([a-z])([A-Z])/g, '$1_$2'));

/** The text with the logins of URLs masked. Pure. */
export const withoutLogins = (text: string): string => text.replaceAll(USERINFO, '$1$2***@');
