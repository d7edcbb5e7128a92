/*
 * timeline-views.js - what the timeline shows, and how one goes elsewhere.
 *
 * All views are set here, as store.view.  Where an archive is not known there
 * is none, and nothing moves.
 */
import { firstBehind } from './coverage-lists.js';
import { LONGEST_LISTS } from './timeline-coverage.js';
import { betweenViews, centreView, clampView, followView, limitsOf, panView, zoomView } from './timeline-scale.js';
import { HOUR, MINUTE } from './time.js';

const FIRST_VIEW = 10 * MINUTE;
const BEFORE_END = 0.08; /* of a view, that is free behind the newest moment */
const GLIDE = 160; /* ms that a zoom by a button takes */
const RUN_UP = 1000; /* ms that are seen before a hole */

export function createViews(app) {
	const { store, coverage } = app;
	const { state } = store;
	const still = matchMedia('(prefers-reduced-motion: reduce)');
	let frame = 0;
	let target = null; /* of the glide that runs */
	let was = null; /* the moment shown before */

	const isShort = () => state.view.to - state.view.from <= LONGEST_LISTS;
	const isShown = (ms) => ms !== null && ms >= state.view.from && ms <= state.view.to;
	const latest = (span) => ({ from: state.archive.to - span * (1 - BEFORE_END), to: state.archive.to + span * BEFORE_END });

	function set(view) {
		if (state.archive && !(state.view && view.from === state.view.from && view.to === state.view.to))
			store.set({ view });
	}

	function stop() {
		cancelAnimationFrame(frame);
		target = null;
	}

	/* To another view, seen to move there. */
	function glideTo(view) {
		const from = state.view;
		const began = performance.now();

		stop();
		if (!from || !state.archive)
			return;
		if (still.matches)
			return set(clampView(view, state.archive));
		target = clampView(view, state.archive);
		const step = (time) => {
			const done = Math.min(Math.max((time - began) / GLIDE, 0), 1);

			set(betweenViews(from, target, 1 - (1 - done) ** 3));
			if (done < 1)
				frame = requestAnimationFrame(step);
			else
				target = null;
		};
		frame = requestAnimationFrame(step);
	}

	/* Where buttons and keys zoom to: what is played, if one sees it. */
	function glide(factor) {
		const from = target ?? state.view;

		if (from)
			glideTo(zoomView(from, factor, isShown(state.at) ? state.at : (from.from + from.to) / 2, state.archive));
	}

	function seek(ms) {
		const { from, to } = state.archive;

		app.player.seek(Math.min(Math.max(ms, from), to));
	}

	/* Hours in which something is missing, where that is all that one sees. */
	const longHoles = () => coverage.hours()
		.filter((hour) => hour.missing > 0 && hour.from >= state.archive.from && hour.from + HOUR <= state.archive.to)
		.map((hour) => ({ from: hour.from, to: hour.from + HOUR }));

	return {
		stop, glide, seek,
		zoom: (factor, at) => set(zoomView(state.view, factor, at, state.archive)),
		pan: (ms) => set(panView(state.view, ms, state.archive)),
		centre: (at) => set(centreView(state.view.to - state.view.from, at, state.archive)),
		page: (pages) => glideTo(panView(state.view, pages * (state.view.to - state.view.from), state.archive)),
		show: (span) => state.view && glide(span / (state.view.to - state.view.from)),
		fit: () => state.archive && glideTo(limitsOf(state.archive)),

		showRange(from, to) {
			const room = (to - from) * 0.08;

			glideTo({ from: from - room, to: to + room });
		},

		now() {
			if (!state.view || !state.archive)
				return;
			glideTo(latest(state.view.to - state.view.from));
			app.player.follow();
		},

		/** Goes to the next hole of the view; behind the last comes the first. */
		nextHole() {
			const { archive, view, at } = state;

			if (!view || !archive)
				return;
			const holes = isShort() ? coverage.lists(view.from, view.to).holes : longHoles();
			const here = isShown(at) ? at + RUN_UP : view.from;
			const hole = holes.find((one) => one.from > here + 1 && one.from < view.to)
				?? holes.find((one) => one.to > view.from && one.from < view.to);

			if (hole && isShort())
				seek(hole.from - RUN_UP);
			else if (hole)
				glideTo({ from: hole.from - HOUR / 2, to: hole.to + HOUR / 2 });
		},

		/** Edges of holes near a moment, and of the archive: what a mark snaps to. */
		edges(ms) {
			if (!isShort())
				return [];
			const { holes } = coverage.lists(state.view.from, state.view.to);
			const i = firstBehind(holes, ms);

			return [state.archive.from, state.archive.to,
				...holes.slice(Math.max(i - 1, 0), i + 2).flatMap((hole) => [hole.from, hole.to])];
		},

		/** The first view, and that of another channel: around what is shown, if that is there. */
		begin(isOther) {
			const { archive, at, view } = state;

			if (isOther) {
				stop();
				was = null;
				store.set({ view: null });
			}
			if (!archive || (state.view && view.to >= archive.from && view.from <= archive.to))
				return;
			const isThere = at !== null && at >= archive.from && at <= archive.to;

			set(isThere ? centreView(FIRST_VIEW, at, archive) : clampView(latest(FIRST_VIEW), archive));
		},

		/** The moment that is shown is another; the view goes along unless the user has hold of it. */
		follow(isHeld) {
			if (state.view && state.archive && state.at !== null && !isHeld && !target)
				set(followView(state.view, was, state.at, state.archive));
			was = state.at;
		},
	};
}
