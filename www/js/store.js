/*
 * store.js - what the page knows, in one object, and who wants to hear of it.
 *
 * set() takes a patch; those who watch one of its keys that changed are called
 * once, with the whole state, before the next picture is drawn.
 */

export function createStore(initial) {
	const state = { ...initial };
	const watchers = [];
	let changed = new Set();

	function tell() {
		const keys = changed;

		changed = new Set();
		for (const { of, fn } of [...watchers])
			if (of.some((key) => keys.has(key)))
				fn(state);
	}

	return {
		/** The state; to be read, not to be written. */
		state,

		set(patch) {
			for (const [key, value] of Object.entries(patch)) {
				if (Object.is(state[key], value))
					continue;
				state[key] = value;
				if (!changed.size)
					queueMicrotask(tell);
				changed.add(key);
			}
		},

		/** Calls fn when one of the keys has changed, and now; returns a function that ends it. */
		watch(of, fn) {
			const watcher = { of, fn };

			watchers.push(watcher);
			fn(state);
			return () => watchers.splice(watchers.indexOf(watcher), 1);
		},
	};
}
