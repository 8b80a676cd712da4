import { join } from 'node:path';
import { API_VERSION, type Key, type Kind, PLURALS, splitKey } from '../../../crds/model/kinds.js';
import { isMap, type Values } from '../../../crds/model/maps.js';
import type { Entry } from '../entry.js';
import { finalizersOf } from '../finalizers.js';
import { frozen } from '../frozen.js';
import { entryOf } from '../proposal/edits.js';
import { fileNameOf } from './file-names.js';

/** The two trees on disk: what origins declared, and what controllers observed. */
export type Tree = 'documents' | 'status';

export const folderOf = (root: string, tree: Tree, kind: Kind): string => join(root, tree, PLURALS[kind]);

export function pathOf(root: string, tree: Tree, key: Key): string {
  const { kind, name } = splitKey(key);
  return join(folderOf(root, tree, kind), fileNameOf(name));
}

/** Returns the text of a document's file: everything but its status and what is kept in memory only. Pure. */
export function renderDocument({ resource, order, pendingReplacements }: Entry, resourceVersion: string): string {
  const { apiVersion, kind, spec, requests } = resource;
  const { problem: _inMemory, ...metadata } = { ...resource.metadata, resourceVersion };
  const waiting = pendingReplacements.length > 0 ? { successors: pendingReplacements } : {};
  return `${JSON.stringify({ apiVersion, kind, metadata, spec, requests, order, ...waiting }, null, 1)}\n`;
}

/**
 * Reads what `renderDocument` wrote, without status. Throws, saying what is wrong, for anything else; the spec was
 * checked when it was accepted and is not checked again. A document that was written before its kind had a finalizer
 * gets it, so that it is deleted like those of today. Pure.
 */
export function parseDocument(value: unknown, kind: Kind, fileName: string): Entry {
  const document = record(value, 'the file');
  expect(document.apiVersion === API_VERSION, `apiVersion is not ${API_VERSION}`);
  expect(document.kind === kind, `kind is not ${kind}`);
  const metadata = record(document.metadata, 'metadata');
  for (const name of ['name', 'uid', 'creationTimestamp', 'origin'] as const) {
    expect(typeof metadata[name] === 'string' && metadata[name] !== '', `metadata.${name} is not a text`);
  }
  expect(fileNameOf(String(metadata.name)) === fileName, 'metadata.name does not belong into this file');
  expect(isCount(metadata.generation) && metadata.generation > 0, 'metadata.generation is not a number from 1');
  expect(isVersion(metadata.resourceVersion), 'metadata.resourceVersion is not a number');
  expect(Array.isArray(metadata.finalizers), 'metadata.finalizers is not a list');
  expect(isCount(document.order), 'order is not a number');
  const { successors: pendingReplacements = [] } = document;
  expect(Array.isArray(pendingReplacements), 'successors is not a list');
  for (const replacement of pendingReplacements as unknown[]) {
    const { document: declared } = record(replacement, 'a replacement');
    const { kind: other, metadata: named, spec } = record(declared, 'the document of a replacement');
    record(spec, 'the spec of a replacement');
    const known = typeof other === 'string' && Object.hasOwn(PLURALS, other);
    expect(known && typeof record(named, 'metadata').name === 'string', 'a replacement has no kind or name');
  }
  const finalizers = [
    ...new Set([...(metadata.finalizers as unknown[]), ...finalizersOf(kind, String(metadata.name))]),
  ];
  const parts = {
    resource: {
      apiVersion: API_VERSION,
      kind,
      metadata: { ...metadata, finalizers },
      spec: record(document.spec, 'spec'),
      requests: record(document.requests, 'requests'),
    },
    order: document.order,
    pendingReplacements,
  };
  return frozen(entryOf(parts as unknown as Parameters<typeof entryOf>[0]));
}

export interface StoredStatus {
  /** Uid of its document. */
  readonly uid: string;
  readonly resourceVersion: string;
  readonly status: object;
}

export const renderStatus = (stored: StoredStatus): string => `${JSON.stringify(stored)}\n`;

/** Reads what `renderStatus` wrote; throws, saying what is wrong. Pure. */
export function parseStatus(value: unknown): StoredStatus {
  const { uid, resourceVersion, status } = record(value, 'the file');
  expect(typeof uid === 'string', 'uid is not a text');
  expect(isVersion(resourceVersion), 'resourceVersion is not a number');
  return { uid: String(uid), resourceVersion: String(resourceVersion), status: record(status, 'status') };
}

function record(value: unknown, what: string): Values {
  if (!isMap(value)) throw new Error(`${what} is not an object`);
  return value;
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isVersion = (value: unknown): boolean =>
  typeof value === 'string' && /^\d+$/.test(value) && isCount(Number(value));
