/** Names of variables, labels and options that hold what nobody is to read. */
const SECRET =
  /pass(?:word|wd|phrase|code)?$|^pass|secret|token|credential|private|api_?key|(?:^|[_.-])(?:key|pin|auth|jwt|salt|dsn)(?:$|[_.-])/i;
const USERINFO = /(\/\/)[^/\s"@]*:[^/\s"@]*@/g;

/** Whether a value under that name is to be masked. Pure. */
export const isSecretName = (name: string): boolean => SECRET.test(name);

/** The text with the logins of URLs masked. Pure. */
export const withoutLogins = (text: string): string => text.replaceAll(USERINFO, '$1***@');
