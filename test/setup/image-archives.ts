import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type TarEntry, tarOf } from '../../controllers/engine/local/tar.js';

/** An image as a file holds it. */
export interface ArchivedImage {
  readonly references: readonly string[];
  /** What is in its only layer. */
  readonly files: readonly TarEntry[];
  readonly cmd?: readonly string[];
  readonly architecture?: string;
}

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const configOf = ({ cmd = ['sh'], architecture = 'amd64' }: ArchivedImage, layer: Buffer): string =>
  JSON.stringify({
    architecture,
    os: 'linux',
    config: { Cmd: cmd, Env: ['PATH=/usr/bin:/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    history: [{ created_by: 'test' }],
  });

/** What `docker save` writes. */
export function savedImages(...images: readonly ArchivedImage[]): Buffer {
  const files: TarEntry[] = [];
  const manifest = images.map((image) => {
    const layer = tarOf(image.files);
    const config = configOf(image, layer);
    const [Config, Layer] = [`${sha256(config)}.json`, `${sha256(layer)}/layer.tar`];
    files.push({ path: `${sha256(layer)}/` }, { path: Layer, content: layer }, { path: Config, content: config });
    return { Config, RepoTags: image.references, Layers: [Layer] };
  });
  return tarOf([...files, { path: 'manifest.json', content: JSON.stringify(manifest) }]);
}

/** An OCI layout, with its layers gzipped. Several images under one reference are an index of architectures. */
export function ociLayout(reference: string, ...images: readonly ArchivedImage[]): Buffer {
  const files: TarEntry[] = [{ path: 'blobs/' }, { path: 'blobs/sha256/' }];
  const blob = (content: string | Buffer, mediaType: string) => {
    const digest = sha256(content);
    files.push({ path: `blobs/sha256/${digest}`, content });
    return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(content) };
  };
  const oci = (kind: string) => `application/vnd.oci.image.${kind}`;
  const manifests = images.map((image) => {
    const layer = tarOf(image.files);
    const manifest = {
      schemaVersion: 2,
      mediaType: oci('manifest.v1+json'),
      config: blob(configOf(image, layer), oci('config.v1+json')),
      layers: [blob(gzipSync(layer), oci('layer.v1.tar+gzip'))],
    };
    const { architecture = 'amd64' } = image;
    return { ...blob(JSON.stringify(manifest), manifest.mediaType), platform: { os: 'linux', architecture } };
  });
  const [only] = manifests;
  const top =
    manifests.length === 1 && only ? only : blob(JSON.stringify({ schemaVersion: 2, manifests }), oci('index.v1+json'));
  const annotations = { 'org.opencontainers.image.ref.name': reference };
  const index = JSON.stringify({ schemaVersion: 2, manifests: [{ ...top, annotations }] });
  return tarOf([
    ...files,
    { path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
    { path: 'index.json', content: index },
  ]);
}
