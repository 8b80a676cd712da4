/** The application of the benchmark; nobody else's. */
export const APP_ID = 948_001;
export const IMAGE = 'supercargo-bench:1';
/** What the agent's containers and network carry. */
export const AGENT_LABEL = `io.balena.app-id=${APP_ID}`;

/** What every container of the benchmark carries, whatever its application. */
export const BENCH_LABEL = 'supercargo-bench';

/** A service that was changed carries another environment. */
export type Changed = Readonly<Record<string, string>>;
/** Labels of services. */
export type Labelled = Readonly<Record<string, Readonly<Record<string, string>>>>;

export const serviceName = (index: number): string => `s${index}`;

const benchService = (serviceName: string, greeting: string, labels: Labelled[string] = {}): object => ({
  serviceName,
  image: IMAGE,
  environment: { GREETING: greeting },
  labels: { [BENCH_LABEL]: '1', ...labels },
  command: ['sleep', '1000000'],
  stop_signal: 'SIGKILL', // sleep ignores SIGTERM as process 1; nobody wants to measure the grace period
});

/** A Supervisor target state (v2) of `count` services on one bridge network; 0 empties the device. Pure. */
export function targetState(count: number, changed: Changed = {}, labelled: Labelled = {}): object {
  const services = Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const name = serviceName(index + 1);
      const service = benchService(name, changed[name] ?? 'hello', labelled[name]);
      return [String(index + 1), { ...service, imageId: index + 1 }];
    }),
  );
  const app = { name: 'bench', commit: 'bench', releaseId: '1', services, volumes: {}, networks: {} };
  return { local: { name: 'bench', config: {}, apps: count === 0 ? {} : { [APP_ID]: app } } };
}

/** Target state of many apps of that many services each, one bridge network each with a subnet of its own. Pure. */
export function manyApps(apps: number, services: number): object {
  const all = Array.from({ length: apps }, (_, index): [string, object] => {
    const subnet = `10.${200 + Math.floor(index / 250)}.${index % 250}.0/24`;
    const own = Object.fromEntries(
      Array.from({ length: services }, (_one, at) => {
        const imageId = 1 + index * services + at;
        return [String(imageId), { ...benchService(`s${at + 1}`, 'hello'), imageId }];
      }),
    );
    const app = { name: `bench${index}`, commit: 'bench', releaseId: '1', services: own, volumes: {} };
    return [String(APP_ID + 1 + index), { ...app, networks: { default: { ipam: { config: [{ subnet }] } } } }];
  });
  return { local: { name: 'bench', config: {}, apps: Object.fromEntries(all) } };
}
