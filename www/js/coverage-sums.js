/*
 * coverage-sums.js - sums by the hour, added up over any run of hours.
 *
 * A tree over the hours from `first` on (hours since 1970), each node the sum
 * of the two below it, so that any question takes the logarithm of the
 * archive's length.  Knows no server.
 */
import { HOUR, parseHour } from './time.js';

/** What is summed; known counts the hours of which anything is known. */
export const FIELDS = ['known', 'covered', 'missing', 'holes', 'suspect', 'partial'];
const WIDTH = FIELDS.length;

/** Sums of /coverage's "hours", seconds as milliseconds: [{ from, covered, missing, holes, suspect, partial }]. */
export function parseHours(hours) {
	return hours.map((hour) => ({
		from: parseHour(hour.hour), covered: hour.covered * 1000, missing: hour.missing * 1000,
		holes: hour.holes, suspect: hour.suspect, partial: hour.partial,
	}));
}

export function createSums(first, count) {
	let size = 2 ** Math.ceil(Math.log2(Math.max(count + 48, 64)));
	let nodes = new Float64Array(2 * size * WIDTH);

	function grow() {
		const leaves = nodes.subarray(size * WIDTH);

		size *= 2;
		nodes = new Float64Array(2 * size * WIDTH);
		nodes.set(leaves, size * WIDTH);
		for (let node = size - 1; node > 0; node--)
			addUp(node);
	}

	function addUp(node) {
		for (let i = 0; i < WIDTH; i++)
			nodes[node * WIDTH + i] = nodes[2 * node * WIDTH + i] + nodes[(2 * node + 1) * WIDTH + i];
	}

	function addTo(sum, node) {
		for (let i = 0; i < WIDTH; i++)
			sum[i] += nodes[node * WIDTH + i];
	}

	return {
		first,

		/** One of parseHours(); hours before the first are left out. */
		set(hour) {
			const at = Math.round(hour.from / HOUR) - first;

			if (at < 0)
				return;
			while (at >= size)
				grow();
			FIELDS.forEach((name, i) => {
				nodes[(size + at) * WIDTH + i] = name === 'known' ? 1 : hour[name];
			});
			for (let node = (size + at) >> 1; node > 0; node >>= 1)
				addUp(node);
		},

		/** Adds the hours from until before to (since 1970) up into sum, a Float64Array in the order of FIELDS. */
		add(sum, from, to) {
			let low = Math.max(from - first, 0) + size;
			let high = Math.min(to - first, size) + size;

			for (sum.fill(0); low < high; low >>= 1, high >>= 1) {
				if (low & 1)
					addTo(sum, low++);
				if (high & 1)
					addTo(sum, --high);
			}
			return sum;
		},
	};
}

export const newSum = () => new Float64Array(WIDTH);
