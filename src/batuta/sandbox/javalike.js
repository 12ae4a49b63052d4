/*
 * The methods that Java gives to the maps and lists of `$` on a Conductor server, for scripts that call them.
 *
 * Evaluated only for those. The methods hang on prototypes of `$`'s own maps and lists, so that Object.keys, for-in, JSON and all other
 * objects stay as they are.
 *
 * Worth: a function that dresses all of box.$ so and gives the box back.
 */
(() => {
  const has = (map, key) => Object.prototype.hasOwnProperty.call(map, key);
  const behind = (prototype, methods) => {
    const dressed = Object.create(prototype);
    for (const name of Object.keys(methods)) Object.defineProperty(dressed, name, { value: methods[name], writable: true, configurable: true });
    return dressed;
  };
  const maps = behind(Object.prototype, {
    get(key) { return has(this, key) ? this[key] : null; },
    getOrDefault(key, other) { return has(this, key) ? this[key] : other; },
    containsKey(key) { return has(this, key); },
    size() { return Object.keys(this).length; },
    isEmpty() { return Object.keys(this).length === 0; },
    keySet() { return Object.keys(this); },
    put(key, value) { const old = this.get(key); this[key] = value; return old; },
    remove(key) { const old = this.get(key); delete this[key]; return old; },
  });
  const lists = behind(Array.prototype, {
    get(index) {
      if (has(this, index)) return this[index];
      throw new RangeError(`Index ${index} out of bounds for length ${this.length}`);
    },
    size() { return this.length; },
    isEmpty() { return this.length === 0; },
    contains(member) { return this.includes(member); },
    add(member) { this.push(member); return true; },
  });
  return (box) => {
    const open = [box.$];
    while (open.length > 0) {
      const value = open.pop();
      if (typeof value !== "object" || value === null) continue;
      for (const key of Object.keys(value)) open.push(value[key]);
      Object.setPrototypeOf(value, Array.isArray(value) ? lists : maps);
    }
    return box;
  };
})()
