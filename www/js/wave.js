/*
 * wave.js - the sound, drawn.
 *
 * Asks for tiles of what is shown, the middle first, two at a time, once the
 * view has come to rest; what is no longer shown is given up.  Until a tile is
 * there a coarser one is drawn in its place.  A tile that reaches the archive's
 * end is asked for again when that has moved on.  The least recently drawn are
 * dropped beyond 8 MB.
 */
import { urls } from './api.js';
import { firstBehind } from './coverage-lists.js';
import { HOUR } from './time.js';
import { COARSEST, extremes, levelFor, parseDat, tileAt, tilesOf } from './wave-tiles.js';

/** The longest view that sound is asked for. */
export const LONGEST_VIEW = HOUR;

const MAX_BYTES = 8 << 20;
const IN_FLIGHT = 2;
const REST = 120;
const RETRY = 5000;
const EMPTY = new Int16Array(2);

/** changed() is called when more can be drawn. */
export function createWave(app, changed) {
	let tiles = new Map(); /* key -> { peaks, until }, the least recently used first */
	let bytes = 0;
	let queue = [];
	let failedUntil = 0;
	const flying = new Map(); /* key -> AbortController */
	let timer = 0;
	const extreme = new Int32Array(2);

	app.store.watch(['channel', 'quality'], () => {
		for (const aborter of flying.values())
			aborter.abort();
		flying.clear();
		tiles = new Map();
		bytes = 0;
		queue = [];
	});

	function keep(tile, peaks, until) {
		bytes += peaks.byteLength - (tiles.get(tile.key)?.peaks.byteLength ?? 0);
		tiles.delete(tile.key);
		tiles.set(tile.key, { peaks, until });
		for (const [key, old] of tiles) {
			if (bytes <= MAX_BYTES)
				break;
			bytes -= old.peaks.byteLength;
			tiles.delete(key);
		}
	}

	function use(tile) {
		const found = tiles.get(tile.key);

		if (found) {
			tiles.delete(tile.key);
			tiles.set(tile.key, found);
		}
		return found;
	}

	async function load(tile) {
		const { channel, quality, archive } = app.store.state;
		const aborter = new AbortController();
		const until = archive?.to ?? tile.to;

		flying.set(tile.key, aborter);
		try {
			const buffer = await app.api.bytes(urls.peaks(channel, quality, tile.from, tile.to, tile.points), { signal: aborter.signal });

			if (!aborter.signal.aborted)
				keep(tile, parseDat(buffer) ?? EMPTY, until);
		} catch (error) {
			if (aborter.signal.aborted)
				return;
			/* No sound, or none there: as good as silence. */
			if (error.status >= 400 && error.status < 500)
				keep(tile, EMPTY, until);
			else
				wait();
		} finally {
			if (flying.get(tile.key) === aborter)
				flying.delete(tile.key);
		}
		changed();
		next();
	}

	function wait() {
		failedUntil = performance.now() + RETRY;
		queue = [];
		setTimeout(changed, RETRY);
	}

	function next() {
		while (flying.size < IN_FLIGHT && queue.length)
			load(queue.shift());
	}

	const isCurrent = (tile, found, archive) => found && (found.until >= tile.to || found.until >= archive.to);

	/* What is to be asked of a view, the middle first. */
	function missing(scale, level) {
		const { archive } = app.store.state;
		const from = Math.max(scale.from, archive.from);
		const to = Math.min(scale.to, archive.to);
		const { holes } = app.coverage.lists(scale.from, scale.to);
		const isHole = (tile) => {
			const hole = holes[firstBehind(holes, tile.from)];

			return hole && hole.from <= tile.from && hole.to >= tile.to;
		};
		const middle = (scale.from + scale.to) / 2;
		const away = (tile) => Math.abs((tile.from + tile.to) / 2 - middle);

		return tilesOf(level, from, to)
			.filter((tile) => !isCurrent(tile, tiles.get(tile.key), archive) && !isHole(tile))
			.sort((a, b) => away(a) - away(b));
	}

	function ask(scale, level) {
		const wanted = missing(scale, level);
		const keys = new Set(wanted.map((tile) => tile.key));

		for (const [key, aborter] of flying)
			if (!keys.has(key)) {
				aborter.abort();
				flying.delete(key);
			}
		queue = wanted.filter((tile) => !flying.has(tile.key));
		next();
	}

	/** Says what is shown; msPerPx of device pixels. */
	function want(scale, msPerPx) {
		clearTimeout(timer);
		queue = [];
		if (scale.to - scale.from <= LONGEST_VIEW && app.store.state.archive && performance.now() >= failedUntil)
			timer = setTimeout(() => app.store.state.archive && ask(scale, levelFor(msPerPx)), REST);
	}

	/* The tile itself, or the finest that has its place. */
	function best(tile) {
		for (let level = tile.level; level <= COARSEST; level++) {
			const one = level === tile.level ? tile : tileAt(level, tile.from);
			const found = use(one);

			if (found)
				return { tile: one, peaks: found.peaks };
		}
		return null;
	}

	/* Whole columns, in device pixels; one that two tiles share is drawn by both. */
	function drawPart(ctx, scale, part, { tile, peaks }, { top, height, ratio }) {
		const perColumn = scale.msPerPx / ratio;
		const first = Math.floor((Math.max(part.from, scale.from) - scale.from) / perColumn);
		const last = Math.ceil((Math.min(part.to, scale.to) - scale.from) / perColumn);
		const half = height / 2;

		for (let column = first; column < last; column++) {
			const from = Math.max(scale.from + column * perColumn, part.from);

			if (!extremes(tile, peaks, from, Math.min(from + perColumn, part.to), extreme))
				continue;
			const high = Math.round(half * (1 - extreme[1] / 32768) * ratio);
			const low = Math.round(half * (1 - extreme[0] / 32768) * ratio);

			ctx.fillRect(column / ratio, top + high / ratio, 1 / ratio, Math.max(low - high, 1) / ratio);
		}
	}

	/** Draws what is known with the context's fillStyle; place: { top, height, ratio }.  False if something is not known yet. */
	function draw(ctx, scale, place) {
		const { archive } = app.store.state;
		const level = levelFor(scale.msPerPx / place.ratio);
		let complete = true;

		if (!archive || scale.to - scale.from > 2 * LONGEST_VIEW)
			return false;
		for (const tile of tilesOf(level, Math.max(scale.from, archive.from), Math.min(scale.to, archive.to))) {
			const found = best(tile);
			const part = { from: Math.max(tile.from, archive.from), to: Math.min(tile.to, archive.to) };

			if (found)
				drawPart(ctx, scale, part, found, place);
			complete &&= found?.tile === tile;
		}
		return complete;
	}

	return { want, draw };
}
