describe('a sample', () => {
  it('hangs', () => {
    for (;;);
  });
});
