/*
 * cutask.js - asks the server what a cut would be, while it is being edited.
 *
 * A moment after the last change, one request at a time; what is no longer of
 * interest is called off.
 */
import { urls } from './api.js';
import { MINUTE } from './time.js';

const WAITS = { settle: 300, again: 3000 };
/** What is newer may still come: segments end, and nodes fetch from each other what they lack. */
const YOUNG = 2 * MINUTE;

/**
 * onPlan({ state: 'asking' | 'known' | 'refused', plan, error }) for the cut that
 * was asked for last.  Holes are always allowed in what is asked, so that the
 * plan can tell of them; holes of the last minutes may be filled, and are asked
 * for again.
 */
export function createPlanner(api, onPlan, waits = WAITS) {
	let asked = '';
	let newest = 0;
	let timer = 0;
	let running = null;

	const isYoung = () => newest > Date.now() - YOUNG;

	async function send(url) {
		const stop = running = new AbortController();

		try {
			const plan = await api.json(url, { signal: stop.signal });

			if (running !== stop)
				return;
			onPlan({ state: 'known', plan });
			if (plan.holes && isYoung())
				timer = setTimeout(() => send(url), waits.again);
		} catch (error) {
			if (running !== stop || stop.signal.aborted)
				return;
			onPlan({ state: 'refused', error });
			if (error.status === 0 || error.status === 503 || (error.status === 406 && isYoung()))
				timer = setTimeout(() => send(url), (error.retryAfter ?? 0) * 1000 || waits.again);
		}
	}

	function drop() {
		clearTimeout(timer);
		running?.abort();
		running = null;
		asked = '';
	}

	return {
		/** cut: { channel, quality, ending, ranges, joins, args }, or null for none. */
		ask(cut) {
			const url = cut && urls.cut(cut.channel, cut.quality, cut.ending, cut.ranges, cut.joins,
				{ ...cut.args, allow_holes: 'true', dry_run: 'true' });

			if (url === asked)
				return;
			drop();
			asked = url ?? '';
			newest = Math.max(0, ...cut?.ranges.map((range) => range.out) ?? []);
			if (!url)
				return;
			onPlan({ state: 'asking' });
			timer = setTimeout(() => send(url), waits.settle);
		},
		drop,
	};
}
