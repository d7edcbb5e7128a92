/*
 * player.js - what plays: the archive, the live edge, or the edit.
 *
 * Writes at, playing, following, rate, frameMs and player of the store; player
 * is 'idle', 'loading', 'ready', 'hole', 'failed', 'unreadable' (not by this
 * browser) or 'missing' (no hls.js, or no Media Source Extensions).  In an edit,
 * a range is left at its last picture.
 */
import { absolute, urls } from './api.js';
import { wholeOf } from './edit.js';
import { SECOND } from './time.js';
import { isInside, isLive, windowAround } from './window.js';

/** Behind the newest segment, so that there is something to play while the next is made. */
const LIVE_DELAY = 6 * SECOND;
/** As far behind the newest it may fall before it goes on at the live edge. */
const LIVE_LAG = 30 * SECOND;
/** Milliseconds at the end of what is loaded that a browser may not show. */
const UNSHOWN = 400;
const RATES = [1, 1.5, 2, 4, 8, 16];

export function createPlayer(video, app) {
	const { store } = app;
	let stream = null;
	let editing = null; /* { ranges, at: index of the range that plays } */
	let shuttle = null; /* the timer of playing backwards */
	let stuckAt = null; /* the moment that was loaded anew last */
	let leaving = null; /* the place of the range of an edit that was left a moment ago */

	const { state } = store;
	const isOver = () => state.player === 'failed' || state.player === 'unreadable';
	const grows = () => isLive(state.archive, state.grewAt, Date.now());

	/* On the way to what was asked for, that is where it is: a server that comes back is asked for it. */
	function onPicture(picture, isSettled) {
		if (isSettled)
			store.set(picture.length ? { at: picture.moment, frameMs: picture.length } : { at: picture.moment });
		if (editing)
			keepInside(picture, editing.ranges[picture.range], picture.range);
		else if (isSettled && state.following && !video.paused && (stream.newest() ?? 0) - picture.moment > LIVE_LAG)
			player.follow();
	}

	/*
	 * At its last picture a range is left.  A busy browser may come to one more
	 * before it pauses: that is not shown.
	 */
	function keepInside(picture, range, place) {
		const length = picture.length ?? state.frameMs;
		const left = range ? range.out - picture.moment : Infinity;
		const isOver = left < 1;

		if (isOver && (leaving === place || (leaving === null && !video.paused)))
			video.classList.add('unsettled');
		if (leaving === null && !video.paused && left < length + 1)
			leave(place);
		if (isOver && leaving === place && !state.playing)
			stream.show(Math.floor(range.out - length), place);
	}

	function leave(place) {
		const next = stream.rangeFrom(place + 1);

		video.pause();
		leaving = place;
		if (next === null) {
			store.set({ playing: false });
		} else {
			editing.at = next;
			stream.show(editing.ranges[next].in, next);
		}
	}

	const events = {
		onPicture,
		onReady: () => store.set({ player: 'ready' }),
		/* What was loaded anew and is not shown all the same is given up for what is before it. */
		onStuck: (moment) => {
			if (editing)
				return;
			if (stuckAt === moment)
				stream.show(within(moment - UNSHOWN));
			else
				load(stuckAt = moment);
		},
		onLeap: reload,
		onSettled: () => {
			leaving = null;
			video.classList.remove('unsettled');
			if (state.playing && !shuttle)
				run();
		},
		onGone: () => store.set({ player: 'hole' }),
		onFailed: (code) => {
			if (!code || code >= 502)
				store.set({ health: code === 503 ? 'busy' : 'lost' });
			store.set({ player: 'failed' });
		},
		onUnreadable: () => store.set({ player: 'unreadable' }),
		onEnded: () => {
			const { to } = stream.source();

			if (!editing && to !== null && to < state.archive.to)
				load(to);
			else
				store.set({ playing: false });
		},
	};

	function run() {
		video.playbackRate = Math.max(state.rate, 0.1);
		/* A browser that wants to be asked first: show that nothing plays. */
		video.play().catch((error) => {
			if (error.name === 'NotAllowedError')
				store.set({ playing: false });
		});
	}

	function load(at) {
		const { channel, quality } = state;
		const archive = state.archive;

		if (!stream || !archive || !quality)
			return;
		editing = null;
		leaving = null;
		store.set({ at, player: 'loading', mode: 'archive' });
		video.classList.add('unsettled');
		stream.load({ kind: 'window', channel, quality, ...windowAround(at, archive, grows()) }, at);
	}

	function loadEdit(at, place) {
		const { channel, quality } = state;

		editing.at = place;
		leaving = null;
		store.set({ at, player: 'loading', mode: 'edit' });
		video.classList.add('unsettled');
		stream.load({ kind: 'edit', channel, quality, ranges: editing.ranges }, at, place);
	}

	function reload(moment, place) {
		if (editing)
			loadEdit(moment, place);
		else
			load(moment);
	}

	/* Shows a moment: of what is loaded, or of another window. */
	function show(at) {
		const source = stream?.source();

		if (!editing && state.player === 'ready' && source?.begun && isInside(source, at)) {
			store.set({ at });
			stream.show(at);
		} else {
			load(at);
		}
	}

	/* What is shown at a moment in a hole is behind it: on the way back that is no way at all. */
	const backTo = (moment) => editing ? moment : stream?.recordedBefore(moment, state.frameMs) ?? moment;

	function shuttleBack(rate) {
		if (video.seeking || state.player !== 'ready' || state.at === null)
			return;
		if (state.at - state.archive.from < 1)
			player.pause();
		else
			show(within(backTo(state.at - rate * 100)));
	}

	function endShuttle() {
		clearInterval(shuttle);
		shuttle = null;
	}

	const within = (at) => Math.min(Math.max(at, state.archive.from), state.archive.to - 1);

	const player = {
		/** Begins anew with what the store says: another channel, or a server that is back. */
		open() {
			endShuttle();
			if (!state.archive)
				return;
			if (state.at === null || state.following)
				player.follow();
			else
				load(within(state.at));
		},

		close() {
			endShuttle();
			editing = null;
			stream?.close();
			store.set({ player: 'idle', playing: false, following: false });
		},

		/** Shows the first picture at or after a moment. */
		seek(moment) {
			if (!state.archive)
				return;
			store.set({ following: false });
			show(within(moment));
		},

		/** Shows what is so many milliseconds on, or back, also where there is a hole. */
		skip(by) {
			if (state.at !== null)
				player.seek(by < 0 ? backTo(state.at + by) : state.at + by);
		},

		play() {
			endShuttle();
			store.set({ playing: true });
			if (editing && stream.rangeFrom(editing.at + 1) === null && state.at >= editing.ranges[editing.at].out - state.frameMs - 1)
				player.playEdit();
			else if (state.player === 'ready' && !video.classList.contains('unsettled'))
				run();
		},

		pause() {
			endShuttle();
			video.pause();
			store.set({ playing: false, following: false, rate: Math.abs(state.rate) || 1 });
		},

		toggle() {
			if (state.playing)
				player.pause();
			else
				player.play();
		},

		/** Shows the picture n places on. */
		step(n) {
			leaving = null;
			player.pause();
			if (stream && !stream.step(n) && state.at !== null)
				stream.show(state.at + n * state.frameMs, stream.shown()?.range ?? 0);
		},

		/** Faster: J and L.  Backwards is by seeking, ten times a second. */
		shuttle(direction) {
			const isBack = state.rate < 0;
			const next = (rate) => RATES.find((one) => one > rate) ?? RATES.at(-1);

			if (direction > 0) {
				const rate = state.playing && !isBack ? next(state.rate) : 1;

				endShuttle();
				player.setRate(rate);
				player.play();
				return;
			}
			const rate = shuttle && isBack ? next(-state.rate) : 1;

			endShuttle();
			video.pause();
			store.set({ rate: -rate, playing: true, following: false });
			shuttle = setInterval(() => shuttleBack(rate), 100);
		},

		setRate(rate) {
			store.set({ rate });
			video.playbackRate = Math.max(rate, 0.1);
		},

		/** The newest there is, and on with it. */
		follow() {
			if (!state.archive)
				return;
			endShuttle();
			const at = Math.max(state.archive.from, state.archive.to - LIVE_DELAY);

			store.set({ following: grows(), playing: grows() || state.playing, rate: 1 });
			load(at);
		},

		/** Plays the edit from one of its whole ranges on. */
		playEdit(first = 0) {
			const { ranges, joins } = wholeOf(state.edit);

			if (!stream || !ranges.length)
				return;
			if (joins.some(Boolean) && state.mode !== 'edit')
				app.say('Transitions are played as hard cuts here; Look shows one as the cut will have it');
			endShuttle();
			const start = Math.min(first, ranges.length - 1);

			editing = { ranges, at: start };
			store.set({ playing: true, following: false, rate: 1 });
			loadEdit(ranges[start].in, start);
		},

		/** Back from the edit to the archive, at the same picture. */
		leaveEdit() {
			if (editing)
				load(within(state.at));
		},

		/** After the server was away, or where it did not work. */
		retry() {
			if (editing && isOver()) {
				const { moment, range } = stream.place();

				loadEdit(moment, range);
			} else if (isOver()) {
				player.open();
			} else {
				stream?.retry();
			}
		},
	};

	store.watch(['volume', 'muted'], ({ volume, muted }) => {
		video.volume = volume;
		video.muted = muted;
	});

	/* hls.js may be missing from an installation; the rest of the page works without. */
	player.prepared = import('./stream.js').then(({ createStream, isSupported }) => {
		if (isSupported())
			stream = createStream(video, events);
		else
			store.set({ player: 'missing' });
	}).catch(() => store.set({ player: 'missing' }));
	return player;
}

/** A video of its own over the player's: the join between whole ranges i and i + 1, as the cut will have it. */
export function joinUrl(state, i) {
	const { ranges, joins } = wholeOf(state.edit);
	const around = 2 * SECOND + (joins[i] ? joins[i].seconds * SECOND : 0);
	const before = { in: Math.max(ranges[i].in, ranges[i].out - around), out: ranges[i].out };
	const after = { in: ranges[i + 1].in, out: Math.min(ranges[i + 1].out, ranges[i + 1].in + around) };

	return absolute(urls.cut(state.channel, state.quality, 'mp4', [before, after], [joins[i]],
		{ faststart: 'true', allow_holes: 'true' }));
}
