/*
 * old-node.mjs - what browsers have and Node.js 18, which is Debian 12's, has
 * not, and what differs.  Imported first by every test of a module.
 */
const define = (name, value) => Object.hasOwn(Array.prototype, name) ||
	Object.defineProperty(Array.prototype, name, { value, configurable: true, writable: true });

define('toSpliced', function toSpliced(...args) {
	const copy = this.slice();

	copy.splice(...args);
	return copy;
});
define('toSorted', function toSorted(compare) {
	return this.slice().sort(compare);
});
define('toReversed', function toReversed() {
	return this.slice().reverse();
});
define('with', function replaced(at, value) {
	const copy = this.slice();

	copy[at < 0 ? copy.length + at : at] = value;
	return copy;
});

/** A generator of pseudorandom numbers from 0 to below 1, the same for a seed. */
export function seeded(seed) {
	let state = seed >>> 0;

	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let x = Math.imul(state ^ state >>> 15, 1 | state);

		x = x + Math.imul(x ^ x >>> 7, 61 | x) ^ x;
		return ((x ^ x >>> 14) >>> 0) / 4294967296;
	};
}
