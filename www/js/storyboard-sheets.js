/*
 * storyboard-sheets.js - which sheet of small pictures has that of a moment.
 *
 * Sheets begin at multiples of their length since 1970, so that everyone who
 * looks at a moment asks for the same one.  Knows no document and no server.
 */
import { SECOND } from './time.js';

export const COLUMNS = 6;
export const ROWS = 4;
const COARSEST = 15; /* a picture every nine hours */

/** The level with a picture for every so many pixels: 2^level seconds apart, one at least. */
export function levelFor(msPerPx, px = 12) {
	return Math.min(Math.max(Math.ceil(Math.log2(msPerPx * px / SECOND)), 0), COARSEST);
}

/** { key, from, to, column, row, each } of the sheet and the tile that a moment is in. */
export function sheetAt(level, ms) {
	const each = 2 ** level * SECOND;
	const length = each * COLUMNS * ROWS;
	const index = Math.floor(ms / length);
	const tile = Math.floor((ms - index * length) / each);

	return {
		key: `${level}/${index}`, each, from: index * length, to: (index + 1) * length,
		column: tile % COLUMNS, row: Math.floor(tile / COLUMNS),
	};
}
