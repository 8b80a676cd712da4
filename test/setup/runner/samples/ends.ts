describe('a sample', () => {
  it('ends its process', () => {
    console.log('last words');
    process.exit(3);
  });
});
