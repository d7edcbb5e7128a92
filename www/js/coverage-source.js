/*
 * coverage-source.js - coverage of one channel and quality, as the server tells
 * it.
 *
 * Sums by the hour are known of all of it, and asked for in weeks, the newest
 * first.  Lists are asked for by the hour, and only of hours whose sums do not
 * say all: an hour recorded by three nodes is 0.9 MB of JSON, 25 ms of the
 * server and 6 ms of the page, and most hours have nothing to list.  Those used
 * least recently are dropped.
 *
 * The newest hour grows: every few seconds its last minute is asked again, and
 * now and then all of it.  The server's end tells what is new, not our clock,
 * which may be wrong.
 */
import { urls } from './api.js';
import { createHours } from './coverage-hours.js';
import { createSums, FIELDS, newSum, parseHours } from './coverage-sums.js';
import { clip, concat, hoursOf, listsOfSums, nearestSpan, parseLists, piecesOf } from './coverage-lists.js';
import { DAY, HOUR, MINUTE, parseHour } from './time.js';

const PIECE = 7 * DAY;
const TAIL = MINUTE;
const TICK = 4000;
const IDLE_TICK = 20000; /* where nothing has come for a minute */
const TICKS_PER_SUMS = 8;
const SUMS_PER_DAYS = 10; /* so often as far back as holes are filled late */
const RETRY = 4000;
const FEW = 6; /* hours whose lists are asked for before sums say which are needed */
const MOST_ASKED = 168; /* hours, of one question for holes */

const hourOf = (ms) => Math.floor(ms / HOUR) * HOUR;

/* { reached: a promise, reach() }; the promise fails with the signal. */
function milestone(signal) {
	let reach;
	const reached = new Promise((resolve, reject) => {
		reach = resolve;
		signal.addEventListener('abort', () => reject(signal.reason), { once: true });
	});

	reached.catch(() => {});
	return { reached, reach };
}

/** Of one channel and quality, until stop(); tell() is called when more is known. */
export function createSource(app, { channel, quality }, tell) {
	const aborter = new AbortController();
	const { signal } = aborter;
	const sleepers = new Set();
	let sums = null;
	let lastHour = 0;
	let archive = null;
	let ticks = 0;
	let grownAt = 0;
	const scratch = newSum();
	const begun = milestone(signal);
	const summed = milestone(signal);

	const coverage = (from, to, lists) =>
		app.api.json(urls.coverage(channel, quality, from, to, lists), { signal });

	function sumOf(from, to = from + HOUR) {
		sums.add(scratch, Math.floor(from / HOUR), Math.ceil(to / HOUR));
		return Object.fromEntries(FIELDS.map((name, i) => [name, scratch[i]]));
	}

	/* Until then, or refresh(), or stop(). */
	const pause = (ms) => new Promise((done) => {
		const end = () => {
			clearTimeout(timer);
			sleepers.delete(end);
			done();
		};
		const timer = setTimeout(end, ms);

		sleepers.add(end);
	});
	const wake = () => sleepers.forEach((end) => end());

	const isNewest = (hour) => hour >= lastHour;

	/* Lists of an hour whose sums say all; the newest one grows. */
	function deduce(hour) {
		const sum = sums && hour >= sums.first * HOUR && !isNewest(hour) ? sumOf(hour) : null;

		return sum?.known ? listsOfSums(hour, sum) : null;
	}

	const hours = createHours({
		ask: async (hour) => parseLists(await coverage(hour, hour + HOUR, true)),
		deduce, failed: () => pause(RETRY), changed: tell, signal,
	});

	/* ---- the whole archive */

	async function begin() {
		const names = (await app.api.json(urls.hours(channel, quality), { signal })).map(parseHour).filter((ms) => ms !== null);

		app.store.set({ isEmpty: !names.length });
		if (!names.length)
			return false;
		const first = names.reduce((a, b) => Math.min(a, b));

		lastHour = names.reduce((a, b) => Math.max(a, b));
		sums = createSums(Math.floor(first / HOUR), (lastHour - first) / HOUR + 1);
		await findEnds(names);
		tell();
		return true;
	}

	/* From the first hour that has a segment to the last: an hour may be empty. */
	async function findEnds(names) {
		const sorted = [...names].sort((a, b) => a - b);
		const [begins, ends] = await Promise.all([sorted, sorted.toReversed()].map(async (order) => {
			for (const hour of order.slice(0, 24)) {
				const lists = await hours.load(hour);

				if (lists.spans.length)
					return { hour, lists };
			}
			return null;
		}));

		if (!begins || !ends)
			return;
		lastHour = ends.hour;
		setArchive({ from: begins.lists.spans[0].from, to: ends.lists.spans.at(-1).to });
	}

	function setArchive(value) {
		archive = value;
		grownAt = performance.now();
		app.store.set({ archive });
	}

	async function askSums(from, to) {
		const answer = await coverage(from, to, false);

		for (const hour of parseHours(answer.hours)) {
			const was = sumOf(hour.from);

			/* A hole was filled since: the hour's lists are old. */
			if (!isNewest(hour.from) && was.known && was.covered !== hour.covered)
				hours.forget(hour.from);
			sums.set(hour);
		}
		tell();
		return answer;
	}

	async function askAllSums() {
		const pieces = piecesOf(sums.first * HOUR, lastHour + HOUR, PIECE);
		const work = async () => {
			for (let piece; !signal.aborted && (piece = pieces.shift());)
				await persist(() => askSums(piece.from, piece.to));
		};

		await Promise.all([work(), work()]);
	}

	/* ---- the newest hour */

	async function askTail() {
		const hour = hourOf(archive.to - 1);
		const from = Math.max(hour, Math.floor((archive.to - TAIL) / 1000) * 1000);
		const tail = parseLists(await coverage(from, hour + 2 * HOUR, true));
		const end = tail.spans.at(-1)?.to ?? 0;
		const was = hours.kept(hour);

		for (const at of [hour, hour + HOUR]) {
			const part = clip(tail, at, at + HOUR);

			if (at === hour && was)
				hours.keep(at, concat([clip(was, at, from), part]));
			else if (at !== hour && part.spans.length)
				hours.keep(at, part);
		}
		if (end > archive.to) {
			lastHour = Math.max(lastHour, hourOf(end - 1));
			setArchive({ from: archive.from, to: end });
			tell();
		}
	}

	/* Sums of the newest hours, and of what came after a pause of the stream. */
	async function askNewestSums() {
		const back = ticks % (TICKS_PER_SUMS * SUMS_PER_DAYS) ? HOUR : 2 * DAY;
		const from = Math.max(hourOf(archive.to) - back, sums.first * HOUR);
		const to = Math.min(Math.max(hourOf(Date.now()), hourOf(archive.to)) + 2 * HOUR, from + 31 * DAY);
		const answer = await askSums(from, to);
		const newest = parseHours(answer.hours).filter((hour) => hour.covered > 0).at(-1);

		if (newest && newest.from > lastHour) {
			/* What was known of the hours since is from when they grew. */
			hours.forgetBetween(lastHour, newest.from);
			lastHour = newest.from;
		}
		await askLastHour();
	}

	/* All of it only where it is new, or has holes that may have been filled. */
	async function askLastHour() {
		const lists = hours.kept(lastHour);

		if (lists && !lists.holes.some((hole) => hole.to < archive.to - TAIL))
			return;
		const { spans } = await hours.load(lastHour);

		if (spans.length && spans.at(-1).to > archive.to)
			setArchive({ from: archive.from, to: spans.at(-1).to });
		tell();
	}

	async function watchEnd() {
		while (!signal.aborted) {
			await pause(performance.now() - grownAt < MINUTE ? TICK : IDLE_TICK);
			if (document.hidden || signal.aborted)
				continue;
			if (ticks++ % TICKS_PER_SUMS === TICKS_PER_SUMS - 1)
				await attempt(askNewestSums);
			else
				await attempt(askTail);
		}
	}

	/* ---- */

	async function attempt(fn) {
		try {
			return await fn();
		} catch {
			return null;
		}
	}

	/* Again until it is done; the store's health tells the user meanwhile. */
	async function persist(fn) {
		for (let wait = 2000; !signal.aborted; wait = Math.min(wait * 2, 30000)) {
			try {
				return await fn();
			} catch (error) {
				if (error.status >= 400 && error.status < 500)
					return null;
				await pause(wait);
			}
		}
		return null;
	}

	async function run() {
		while (!signal.aborted && !archive) {
			if (!await persist(begin) || !archive)
				await pause(10000);
		}
		if (signal.aborted)
			return;
		begun.reach();
		await askAllSums();
		summed.reach();
		await watchEnd();
	}
	run();
	document.addEventListener('visibilitychange', wake, { signal });

	return {
		stop() {
			aborter.abort(new DOMException('another channel', 'AbortError'));
			wake();
		},

		refresh() {
			ticks = TICKS_PER_SUMS - 1;
			wake();
		},

		sums: () => sums,

		hours() {
			const from = sums ? sums.first * HOUR : 0;

			return sums ? hoursOf(from, lastHour + HOUR).map((at) => ({ from: at, ...sumOf(at) })).filter((hour) => hour.known) : [];
		},

		total: (from, to) => sums && sumOf(from, to),

		lists(from, to) {
			const all = archive ? hoursOf(Math.max(from, archive.from), Math.min(to, archive.to)) : [];
			const parts = all.map(hours.lookUp);
			const missing = all.filter((_, i) => !parts[i]);

			hours.want(missing);
			return {
				...clip(concat(parts.filter(Boolean)), archive?.from ?? 0, archive?.to ?? 0),
				unknown: missing.map((hour) => ({ from: hour, to: hour + HOUR })), complete: Boolean(archive) && !missing.length,
			};
		},

		/* Marks may be anywhere: nothing is asked of what the archive does not reach. */
		async holesIn(from, to) {
			const nothing = (start, end) => ({ spans: [], holes: start < end ? [{ from: start, to: end }] : [], nonfull: [] });

			await begun.reached;
			const first = Math.max(from, archive.from);
			const all = hoursOf(first, Math.min(to, archive.to));
			const parts = [];

			if (all.length > FEW)
				await summed.reached;
			if (all.filter((hour) => !hours.lookUp(hour)).length > MOST_ASKED)
				throw new Error('the range is too long');
			for (const hour of all)
				parts.push(await hours.find(hour));
			return concat([nothing(from, Math.min(to, archive.from)), clip(concat(parts), first, Math.min(to, archive.to)),
				nothing(Math.max(from, archive.to), to)]).holes;
		},

		async nextRecorded(ms, direction) {
			let reach = ms;

			if (!archive)
				return null;
			for (let hour = hourOf(ms); hour + HOUR > archive.from && hour < archive.to; hour += direction * HOUR) {
				const lists = await hours.find(hour);
				const found = nearestSpan(lists.spans, reach, direction);

				if (found.at !== null)
					return found.at;
				reach = found.reach;
			}
			return null;
		},
	};
}
