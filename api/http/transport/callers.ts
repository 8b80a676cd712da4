/**
 * Who may call a route.
 * - `anyone`: no key is asked for.
 * - `any key`: an app's key too; what it is shown or does concerns that app, or says nothing of others.
 * - `device`: an app's key too, unless the agent is set up so that those reach only their app (`AppKeyReach`): then 401.
 * - `global key`: an app's key gets 403, as Kubernetes answers it.
 * - `signed`: the route looks at the caller itself.
 */
export type Callers = 'anyone' | 'any key' | 'device' | 'global key' | 'signed';
