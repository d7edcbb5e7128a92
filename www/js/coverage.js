/*
 * coverage.js - what the archive holds of the channel and quality shown, for
 * all of the page.
 *
 * Sets store.archive: { from, to }, where the first segment begins and the last
 * ends, or null; and store.isEmpty, where there is nothing at all.
 */
import { createSource } from './coverage-source.js';
import { HOUR } from './time.js';

const NONE = { spans: [], holes: [], nonfull: [], unknown: [], complete: false };

const hourOf = (ms) => Math.floor(ms / HOUR) * HOUR;

export function createCoverage(app) {
	const watchers = new Set();
	let source = null;
	let hours = null;
	const lists = new Map();

	function tell() {
		hours = null;
		lists.clear();
		for (const fn of watchers)
			fn();
	}

	app.store.watch(['channel', 'quality'], ({ channel, quality }) => {
		source?.stop();
		source = null;
		app.store.set({ archive: null, isEmpty: false });
		if (channel && quality)
			source = createSource(app, { channel, quality }, tell);
		tell();
	});

	return {
		/** [{ from, covered, missing, holes, suspect, partial }], milliseconds and counts, of the hours known so far. */
		hours: () => hours ??= source?.hours() ?? [],

		/** The tree of sums (coverage-sums.js), or null: what a picture of all is drawn from. */
		sums: () => source?.sums() ?? null,

		/** Sums of the hours that a range touches, or null. */
		total: (from, to) => source?.total(from, to) ?? null,

		/**
		 * What is known at once of a range of hours: { spans, holes, nonfull,
		 * unknown, complete }, and asks for the rest.  The same value until
		 * something changes.
		 */
		lists(from, to) {
			const key = `${hourOf(from)} ${hourOf(to)}`;

			if (lists.size > 8)
				lists.clear();
			if (!lists.has(key))
				lists.set(key, source?.lists(hourOf(from), hourOf(to) + HOUR) ?? NONE);
			return lists.get(key);
		},

		/** Promise of [{ from, to }]: holes of a range, for cuts; what the archive does not reach is one. */
		holesIn: async (from, to) => source ? source.holesIn(from, to) : [],

		/**
		 * Promise of the nearest moment that has something to see beyond the next
		 * hole, to the right (1) or the left (-1); null if there is none.
		 */
		nextRecorded: async (ms, direction) => source ? source.nextRecorded(ms, direction) : null,

		/** Asks at once what else would be asked in a while. */
		refresh: () => source?.refresh(),

		/** Calls fn when more is known; returns a function that ends it. */
		onChange(fn) {
			watchers.add(fn);
			return () => watchers.delete(fn);
		},
	};
}
