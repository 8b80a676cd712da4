/** What imports what. `npm run lint` checks it. */
export default {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Files that import each other can only be understood together: put what both need in a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    // TypeScript 7 has no compiler API for tools to parse with.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
