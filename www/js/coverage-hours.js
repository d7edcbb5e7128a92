/*
 * coverage-hours.js - lists of hours: kept, asked for, and in which order.
 *
 * An hour is the moment at which it begins.  Two are asked for at a time, those
 * that were wanted last first; the ones used least recently are dropped.  Knows
 * no server.
 */
const MAX_LISTS = 48; /* hours: 12 of a view, and those beside it */
const IN_FLIGHT = 2;

/**
 * ask(hour): promise of lists; deduce(hour): lists without asking, or null;
 * failed(): promise of when to go on; changed(): more is known.
 */
export function createHours({ ask, deduce, failed, changed, signal }) {
	const known = new Map(); /* hour -> lists, the least recently used first */
	const flying = new Map(); /* hour -> promise */
	let wanted = [];

	function keep(hour, lists) {
		known.delete(hour);
		known.set(hour, lists);
		if (known.size > MAX_LISTS)
			known.delete(known.keys().next().value);
		return lists;
	}

	/** What is known without asking, or null. */
	function lookUp(hour) {
		const lists = known.get(hour);

		return lists ? keep(hour, lists) : deduce(hour);
	}

	/** Asks, even if something is known; whoever asks meanwhile gets the same promise. */
	function load(hour) {
		const asked = flying.get(hour) ?? ask(hour)
			.then((lists) => keep(hour, lists))
			.finally(() => flying.delete(hour));

		flying.set(hour, asked);
		return asked;
	}

	function next() {
		while (!signal.aborted && flying.size < IN_FLIGHT && wanted.length) {
			const hour = wanted.shift();

			if (lookUp(hour) || flying.has(hour))
				continue;
			load(hour).catch(failed).then(() => {
				if (!signal.aborted)
					changed();
				next();
			});
		}
	}

	return {
		keep, lookUp, load,
		/** Those kept, which were asked for once. */
		kept: (hour) => known.get(hour) ?? null,
		find: async (hour) => lookUp(hour) ?? load(hour),

		forget(hour) {
			known.delete(hour);
		},

		forgetBetween(from, to) {
			for (const hour of [...known.keys()].filter((one) => one >= from && one < to))
				known.delete(hour);
		},

		want(hours) {
			wanted = [...new Set([...hours, ...wanted])].slice(0, MAX_LISTS);
			next();
		},
	};
}
