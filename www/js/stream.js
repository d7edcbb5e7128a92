/*
 * stream.js - a stretch of the archive in a video element, by HLS, with the
 * moment of every picture.
 *
 * load({ kind: 'window', from, to }) plays a window (window.js; to is null
 * where it is live), load({ kind: 'edit', ranges }) an edit list.  at() is the
 * moment of the picture that is shown; show(moment) shows the first picture at
 * or after a moment, as a cut from there begins with it.
 */
import Hls from '../lib/hls.light.min.mjs';

import { absolute, urls } from './api.js';
import { createClocks } from './clocks.js';
import { createPictures, exactDate, pictureTimes, sourceTimes } from './pictures.js';
import { createSliding, withRoom } from './playlist.js';
import { createSegments } from './segments.js';
import { liveFrom } from './window.js';

const RECOVERED = 10000; /* ms: what fails again so soon is not mended by trying */

const CONFIG = {
	backBufferLength: 60,
	maxBufferLength: 30,
	maxMaxBufferLength: 60,
	liveDurationInfinity: true,
	testBandwidth: false,
	enableWorker: true,
	/* Times of pictures are those of the source, also where it begins without a key frame. */
	forceKeyFrameOnDiscontinuity: false,
	/* A server that is away comes back: we tell, and go on when it does. */
	fragLoadPolicy: { default: {
		maxTimeToFirstByteMs: 20000, maxLoadTimeMs: 60000,
		timeoutRetry: { maxNumRetry: 4, retryDelayMs: 500, maxRetryDelayMs: 4000 },
		errorRetry: { maxNumRetry: 4, retryDelayMs: 500, maxRetryDelayMs: 4000 },
	} },
};

/** Milliseconds for a seek to what is loaded. */
const PATIENCE = 1500;

/* Loads playlists; those of a live window are asked for from where it is now. */
function listLoader(source) {
	return class extends Hls.DefaultConfig.loader {
		load(context, config, callbacks) {
			super.load({ ...context, url: source.url() }, config, {
				...callbacks,
				onSuccess: (response, stats, _, details) => callbacks.onSuccess(
					{ ...response, data: source.edit(response.data), url: context.url }, stats, context, details),
			});
		}
	};
}

/* Loads segments; tell() says whether they are to be played, before they are the worker's. */
function tellingLoader(tell) {
	return class extends Hls.DefaultConfig.loader {
		load(context, config, callbacks) {
			super.load(context, config, {
				...callbacks,
				onSuccess: (response, ...rest) => {
					if (tell(context.frag, new Uint8Array(response.data)))
						callbacks.onSuccess(response, ...rest);
				},
			});
		}
	};
}

export const isSupported = () => Hls.isSupported();

/**
 * events: onPicture(picture, isSettled) for each picture that is shown, { moment,
 * length, range }, and whether it is what was asked for or follows that;
 * onReady() when there is something to play; onSettled() when what was asked
 * for, by load() or show(), is shown; onStuck(moment, range) when that is loaded
 * and not shown all the same; onLeap(moment, range) when the source's clock
 * leaps, and it is to be loaded again from there; onGone() when there is nothing
 * in a window;
 * onFailed(status of the answer or 0); onUnreadable() where it cannot be
 * decoded; onEnded().
 */
export function createStream(video, events) {
	const pictures = createPictures();
	let hls = null;
	let source = null; /* what is loaded, with the channel and quality it is of */
	let shown = null; /* the picture that is shown */
	let sought = null; /* { moment, range, isFound }: what was asked for, until it is shown; isFound: its place is known */
	let watching = null; /* a timer: whether it comes to be shown */
	const clocks = createClocks();
	const times = new Map(); /* the source's, of segments that are loaded and not yet in the player, by sn */
	let recoveredAt = -RECOVERED;
	let listed = null; /* { details, segments } of the playlist that there is */
	let isLeapAhead = false; /* behind what is loaded the source's clock leaps */

	/* Of the newest list; of the last that had any. */
	function segmentsOf(details) {
		if (listed?.details !== details && details?.fragments.length)
			listed = { details, segments: createSegments(details.fragments, source.kind === 'edit' ? source.ranges : null) };
		return listed?.segments;
	}

	const segments = () => segmentsOf(hls?.latestLevelDetails);

	/* Where to look for the first picture at or after a moment: { time, exact }. */
	function timeOf(moment, range) {
		const found = segments()?.find(moment, range);

		if (!found)
			return null;
		const { fragment, date, length, next } = found;
		const last = pictures.lastOf(fragment.sn);
		/* Behind the last picture it is the first of the next segment; at the end of all, the last. */
		const exact = pictures.firstFrom(fragment.sn, moment) ??
			(last === null ? null : next ? pictures.firstFrom(next.sn, moment) : last);

		if (exact !== null)
			return { time: exact, exact: true };
		const { video: pictured, audio } = fragment.elementaryStreams;
		const start = pictured?.startPTS ?? fragment.start;

		/* Not at its very end: where a hole follows, what is behind that may reach over it. */
		const place = Math.min(moment - date, length - 250) / 1000;

		return { time: start + Math.max(0, place), exact: audio !== null && pictured === null };
	}

	/* A little behind a picture's beginning: what a seek to it shows is it. */
	const inside = (time) => time + 0.002;

	function seek(time) {
		video.currentTime = inside(time);
	}

	/*
	 * A browser may wait for ever for the last pictures before a gap in what is
	 * loaded.  Loaded from there on, in order, there is none.
	 */
	function watchOver(moment, range) {
		clearTimeout(watching);
		watching = setTimeout(() => {
			if (sought && video.seeking && hls)
				events.onStuck(moment, range);
		}, PATIENCE);
	}

	/* After a seek to a place whose pictures were not known: to the very one. */
	function settle() {
		if (!sought)
			return;
		if (!sought.isFound) {
			const target = timeOf(sought.moment, sought.range);
			const at = pictures.at(video.currentTime);

			/* It has come to pictures that are not known: they are loaded again. */
			if (!target?.exact && !at && !video.seeking && isBuffered(video.currentTime))
				events.onStuck(sought.moment, sought.range);
			if (!target?.exact)
				return;
			watchOver(sought.moment, sought.range);
			sought.isFound = true;
			/* Also where it still looks for a place that is in no segment. */
			if (video.seeking || !at || Math.abs(at.time - target.time) > 0.0005) {
				seek(target.time);
				return;
			}
		}
		if (video.seeking)
			return;
		clearTimeout(watching);
		sought = null;
		/* It may have been shown before it was known which it is. */
		tell(video.currentTime);
		events.onSettled();
	}

	function pictureAt(time) {
		const picture = pictures.at(time);

		return picture && { ...picture, range: segments()?.rangeOf(picture.key) ?? null };
	}

	function tell(time) {
		const picture = hls && pictureAt(time);

		if (picture && !sought)
			shown = picture;
		if (picture)
			events.onPicture(picture, !sought);
	}

	function present(_, frame) {
		tell(frame.mediaTime);
		video.requestVideoFrameCallback(present);
	}

	/* Where it is, or is on its way to: { moment, range }. */
	const place = () => sought ?? here() ?? { moment: source.at, range: source.range };

	function leap() {
		const { moment, range } = place();

		events.onLeap(moment, range);
	}

	/*
	 * Whether the player may have it: where the clock leaps, not before the list
	 * says so.  What is loaded ahead of what is shown waits until that is over.
	 */
	function onLoaded(frag, bytes) {
		if (isLeapAhead)
			return false;
		const found = sourceTimes(bytes);
		const opened = hls;

		times.set(frag.sn, found);
		if (!found.length || !clocks.note(frag, exactDate(frag.rawProgramDateTime ?? ''), found[0]))
			return true;
		isLeapAhead = true;
		if (sought)
			queueMicrotask(() => hls === opened && leap());
		return false;
	}

	/* The fragment has the source's times; the element's are offset from them. */
	function onAppending(_, { type, frag, data, offset = 0 }) {
		if (type !== 'video' && type !== 'audiovideo')
			return;
		pictures.put(frag.sn, exactDate(frag.rawProgramDateTime ?? ''), pictureTimes(data).map((time) => time + offset),
			times.get(frag.sn) ?? new Float64Array(0));
	}

	function isBuffered(time) {
		const { buffered } = video;

		for (let i = 0; i < buffered.length; i++)
			if (time >= buffered.start(i) - 0.001 && time < buffered.end(i))
				return true;
		return false;
	}

	function onBuffered(_, { frag }) {
		times.delete(frag.sn);
		settle();
	}

	function show(moment, range = 0) {
		const target = timeOf(moment, range);

		clearTimeout(watching);
		if (isLeapAhead && !target?.exact) {
			events.onLeap(moment, range);
			return;
		}
		sought = { moment, range, isFound: Boolean(target?.exact) };
		if (!target)
			return;
		if (target.exact)
			watchOver(moment, range);
		seek(target.time);
	}

	function onError(_, data) {
		if (!data.fatal)
			return;
		if (data.type === Hls.ErrorTypes.MEDIA_ERROR) {
			const isFirst = performance.now() - recoveredAt > RECOVERED;

			recoveredAt = performance.now();
			/* Where nothing was shown yet there is nothing to go back to. */
			if (isFirst && shown)
				hls.recoverMediaError();
			else
				events.onUnreadable();
			return;
		}
		events.onFailed(data.response?.code ?? 0);
	}

	/* Where no picture is drawn, because the page is hidden, it plays on all the same. */
	const here = () => document.hidden ? pictureAt(video.currentTime) ?? shown : shown;

	function urlOf(of) {
		if (of.kind === 'edit')
			return absolute(urls.editList(of.channel, of.quality, of.ranges));
		/* What a list has lost does not come back to it: whoever wants that needs another window. */
		if (of.to === null)
			of.from = Math.max(of.from, liveFrom(here()?.moment ?? of.at));
		return absolute(urls.playlist(of.channel, of.quality, of.from, of.to));
	}

	function open(of) {
		close();
		const number = of.kind === 'window' && of.to === null ? createSliding() : (text) => text;

		source = { ...of, url: () => urlOf(source), edit: (text) => withRoom(number(clocks.mark(text))) };
		hls = new Hls({
			...CONFIG,
			workerPath: absolute('www/lib/hls.worker.js'),
			pLoader: listLoader(source),
			fLoader: tellingLoader(onLoaded),
			autoStartLoad: false,
		});
		hls.on(Hls.Events.LEVEL_LOADED, begin);
		hls.on(Hls.Events.BUFFER_APPENDING, onAppending);
		hls.on(Hls.Events.FRAG_BUFFERED, onBuffered);
		hls.on(Hls.Events.BUFFER_FLUSHED, () => pictures.prune((sn, time) => times.has(sn) || isBuffered(time)));
		hls.on(Hls.Events.ERROR, onError);
		hls.loadSource(source.url());
		hls.attachMedia(video);
	}

	/* The first list that has something: begin with what is sought. */
	function begin(_, { details }) {
		if (source.begun)
			return;
		if (!details.fragments.length) {
			events.onGone();
			return;
		}
		const list = segmentsOf(details);
		const range = list.rangeFrom(sought.range) ?? list.rangeFrom(0);

		/* A range that is all in a hole is passed over. */
		if (range !== null && range !== sought.range)
			sought = { moment: source.ranges[range].in, range, isFound: false };
		const { time } = timeOf(sought.moment, sought.range);

		source.begun = true;
		hls.startLoad(inside(time));
		events.onReady();
	}

	function close() {
		clearTimeout(watching);
		hls?.destroy();
		hls = null;
		listed = null;
		isLeapAhead = false;
		shown = null;
		pictures.clear();
		times.clear();
		clocks.begin();
	}

	video.addEventListener('seeked', settle);
	video.addEventListener('waiting', () => isLeapAhead && !video.seeking && leap());
	video.addEventListener('ended', () => hls && events.onEnded());
	video.requestVideoFrameCallback(present);

	return {
		/** what: { kind, channel, quality, … }, at: the moment to begin with, and its range in an edit. */
		load(what, at, range = 0) {
			sought = { moment: at, range, isFound: false };
			open({ ...what, at, range });
		},

		close,

		source: () => source,

		/** The picture that is shown, or null. */
		shown: () => shown,

		place,

		/** Shows the first picture at or after a moment. */
		show,

		/** Shows the picture n places on; false where it is not loaded. */
		step(n) {
			const time = pictures.step(video.currentTime, n);

			if (time === null)
				return false;
			if (sought)
				sought = { ...pictureAt(time), isFound: true };
			seek(time);
			return true;
		},

		/** The last moment there is, as the playlist says; null where there is none. */
		newest: () => segments()?.end ?? null,

		/** As segments.js has them; null also where there is no playlist. */
		rangeFrom: (range) => segments()?.rangeFrom(range) ?? null,
		recordedBefore: (moment, length) => segments()?.recordedBefore(moment, length) ?? null,

		/** Goes on after the server was away. */
		retry() {
			/* From what is sought, not from what was shown last. */
			if (hls)
				hls.startLoad(video.currentTime);
		},
	};
}
