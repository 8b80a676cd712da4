/** Returns a Compose file with so many services, with a bit of everything: anchors, variables, ports, volumes, checks. Pure. */
export function composeText(count: number): string {
  const all = Array.from({ length: count }, (_, n) => n);
  return [
    'x-base: &base',
    '  restart: unless-stopped',
    '  logging: {driver: json-file, options: {max-size: 10m}}',
    'services:',
    ...all.flatMap((n) => [
      `  s${n}:`,
      '    <<: *base',
      `    image: registry.example.com/team/s${n}:\${TAG:-1}`,
      `    ports: ["${8000 + n}:80"]`,
      `    volumes: ["d${n}:/d", "./c:/c:ro"]`,
      `    environment: {A: "\${A:-${n}}", B: two, C: three}`,
      '    healthcheck: {test: [CMD, x], interval: 30s, retries: "${R:-3}"}',
      `    depends_on: ${n > 0 ? `{s${n - 1}: {condition: service_healthy}}` : '[]'}`,
    ]),
    'volumes:',
    ...all.map((n) => `  d${n}:`),
    '',
  ].join('\n');
}
