/*
 * storyboard.js - the picture of a moment, small, under the pointer.
 *
 * Pictures come in sheets (storyboard-sheets.js).  One is asked for at a time,
 * once the pointer rests for a moment; what is not wanted any more is given up.
 * The 16 sheets used last are kept as pictures.
 */
import { urls } from './api.js';
import { COLUMNS, levelFor, ROWS, sheetAt } from './storyboard-sheets.js';

const MAX_SHEETS = 16; /* 2 MB each */
const REST = 60;
const RETRY = 4000;

/** Of pictures of such a height; changed() is called when a sheet has come. */
export function createStoryboard(app, height, changed) {
	const sheets = new Map(); /* key -> { image: ImageBitmap or null, until }, the least recently used first */
	let wanted = null;
	let flying = null;
	let timer = 0;
	let failedUntil = 0;

	function drop(key) {
		sheets.get(key)?.image?.close();
		sheets.delete(key);
	}

	app.store.watch(['channel', 'quality'], () => {
		flying?.aborter.abort();
		flying = null;
		wanted = null;
		for (const key of [...sheets.keys()])
			drop(key);
	});

	function keep(sheet, image, until) {
		drop(sheet.key);
		sheets.set(sheet.key, { image, until });
		if (sheets.size > MAX_SHEETS)
			drop(sheets.keys().next().value);
	}

	async function picture(sheet, signal) {
		const { channel, quality } = app.store.state;
		const url = urls.storyboard(channel, quality, sheet.from, sheet.to, COLUMNS, ROWS, height);

		try {
			return await createImageBitmap(await app.api.blob(url, { signal }));
		} catch (error) {
			/* A range without any picture. */
			if (error.status >= 400 && error.status < 500)
				return null;
			throw error;
		}
	}

	async function load(sheet) {
		const aborter = new AbortController();
		const until = app.store.state.archive?.to ?? sheet.to;

		flying = { key: sheet.key, aborter };
		try {
			const image = await picture(sheet, aborter.signal);

			if (aborter.signal.aborted)
				image?.close();
			else
				keep(sheet, image, until);
		} catch {
			if (!aborter.signal.aborted)
				failedUntil = performance.now() + RETRY;
		}
		if (aborter.signal.aborted)
			return;
		flying = null;
		changed();
		start();
	}

	const isCurrent = (sheet, found) =>
		found && (found.until >= sheet.to || found.until >= (app.store.state.archive?.to ?? 0) - sheet.each);

	function start() {
		if (!wanted || flying || isCurrent(wanted, sheets.get(wanted.key)) || performance.now() < failedUntil)
			return;
		load(wanted);
	}

	function want(sheet) {
		if (wanted?.key === sheet.key) {
			/* It may have failed a while ago. */
			if (!timer)
				start();
			return;
		}
		wanted = sheet;
		if (flying && flying.key !== sheet.key) {
			flying.aborter.abort();
			flying = null;
		}
		clearTimeout(timer);
		timer = setTimeout(() => {
			timer = 0;
			start();
		}, REST);
	}

	/* A coarser one that is there already has a picture from nearby. */
	function known(ms, level) {
		for (let at = level; at <= level + 3; at++) {
			const sheet = sheetAt(at, ms);
			const found = sheets.get(sheet.key);

			if (found) {
				sheets.delete(sheet.key);
				sheets.set(sheet.key, found);
				return { sheet, image: found.image, exact: at === level };
			}
		}
		return null;
	}

	return {
		/**
		 * The picture of a moment for a view, as { image, x, y, width, height,
		 * exact }, a part of an image that is good until the next call; { image:
		 * null } if there is none; null if that is not known yet.  It is asked
		 * for, in place of what was before.
		 */
		at(ms, msPerPx) {
			const level = levelFor(msPerPx);

			want(sheetAt(level, ms));
			const found = known(ms, level);

			if (!found?.image)
				return found?.exact ? { image: null } : null;
			const width = found.image.width / COLUMNS;
			const high = found.image.height / ROWS;

			return { image: found.image, x: found.sheet.column * width, y: found.sheet.row * high, width, height: high, exact: found.exact };
		},

		/** Nothing is wanted any more. */
		rest() {
			clearTimeout(timer);
			timer = 0;
			wanted = null;
			flying?.aborter.abort();
			flying = null;
		},
	};
}
