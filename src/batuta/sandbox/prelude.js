/*
 * The only code of ours in a script's world: put `$` there, run the script, write its value as JSON text.
 *
 * Evaluated first in every fresh context, so it is short (compiling it is a third of the cost of a call), and it keeps the built-ins
 * it needs, which a script may replace afterwards. It runs under the script's own limits and reaches no host: the context has no host
 * functions, and the worst a script can do to this file is to write its own result, which is its right.
 *
 * Worth: a function (box, source, outputMax) -> JSON text, or "" when that is longer than outputMax. It throws what the script throws.
 */
((run, { stringify, rawJSON }, { isArray, from }, { isView }, { fromEntries }, text, integer, Map, Set) => {
  // JSON.stringify's replacer. What JSON has no word for becomes what Conductor makes of it, or the nearest thing that says more.
  function plain(key, value) {
    switch (typeof value) {
      case "object":
        if (value === null || isArray(value)) return value;
        if (value instanceof Map) return fromEntries(value);
        return value instanceof Set || isView(value) ? from(value) : value;
      case "number":
        return value >= -9007199254740991 && value <= 9007199254740991 ? value : unsafe(value);
      case "bigint":
        return rawJSON(text(value));
      case "undefined":
        return null;
      case "function":
      case "symbol":
        return {};
      default:
        return value;
    }
  }
  // As a Java long with all its digits, beyond that as a double, and "NaN", "Infinity", "-Infinity" as texts.
  function unsafe(value) {
    if (value - value !== 0) return text(value);
    if (value >= -9223372036854775808 && value < 9223372036854775808) return rawJSON(text(integer(value)));
    return value > -1e21 && value < 1e21 ? rawJSON(text(value) + "e0") : value;
  }
  return (box, source, outputMax) => {
    globalThis.$ = box.$;
    const json = stringify(run(source), plain); // eval by another name works in the global scope, as a program would
    return json.length > outputMax ? "" : json;
  };
})(eval, JSON, Array, ArrayBuffer, Object, String, BigInt, Map, Set)
