/** A folder, and the folders that it may import besides itself. */
export declare const LAYERS: readonly (readonly [folder: string, may: readonly string[]])[];
