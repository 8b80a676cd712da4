/**
 * Returns the function with its results remembered for frozen values, as all that the store holds are: an App of hundreds of
 * services is checked at every pass, and its services stay the same objects. `compute` is pure, and nobody changes its result.
 */
export function onceForFrozen<Value extends object, Result>(
  compute: (value: Value) => Result,
): (value: Value) => Result {
  const known = new WeakMap<Value, { readonly result: Result }>();
  return (value) => {
    if (!Object.isFrozen(value)) return compute(value);
    const before = known.get(value);
    if (before) return before.result;
    const result = compute(value);
    known.set(value, { result });
    return result;
  };
}
