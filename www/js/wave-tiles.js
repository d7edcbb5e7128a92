/*
 * wave-tiles.js - the sound's peaks in tiles: which there are, what is in one.
 *
 * A level k has a point every 2^k ms.  Its tiles begin at multiples of their
 * length since 1970, so that all who look at a moment ask for the same.  At the
 * finest level a point is three samples of 48 kHz, less than a pixel is where
 * the view is shortest.  Knows no document and no server.
 */

const FINEST = -4;
export const COARSEST = 13;
const SHORTEST_TILE = 2 ** 9; /* ms */
const LONGEST_TILE = 2 ** 19; /* nine minutes: half a second to decode, for the first who looks */
const POINTS = 1024;

/** The level whose points are no longer than a pixel. */
export const levelFor = (msPerPx) =>
	Math.min(Math.max(Math.floor(Math.log2(msPerPx)), FINEST), COARSEST);

export const tileLength = (level) => Math.min(Math.max(2 ** level * POINTS, SHORTEST_TILE), LONGEST_TILE);

/** { level, index, key, from, to, points } of the tile that a moment is in. */
export function tileAt(level, ms) {
	const length = tileLength(level);
	const index = Math.floor(ms / length);

	return { level, index, key: `${level}/${index}`, from: index * length, to: (index + 1) * length, points: length / 2 ** level };
}

/** Tiles of a range. */
export function tilesOf(level, from, to) {
	const tiles = [];

	for (let tile = tileAt(level, from); tile.from < to; tile = tileAt(level, tile.to))
		tiles.push(tile);
	return tiles;
}

/** Of audiowaveform's .dat, version 1 or 2: Int16Array of least and greatest, or null if it is none. */
export function parseDat(buffer) {
	const view = new DataView(buffer);
	const version = buffer.byteLength >= 20 ? view.getInt32(0, true) : 0;
	const start = version === 2 ? 24 : 20;

	if ((version !== 1 && version !== 2) || buffer.byteLength < start)
		return null;
	const isSmall = view.getUint32(4, true) & 1;
	const channels = version === 2 ? view.getInt32(20, true) : 1;
	const count = view.getUint32(16, true) * 2 * channels;
	const peaks = new Int16Array(count);

	if (buffer.byteLength < start + count * (isSmall ? 1 : 2))
		return null;
	for (let i = 0; i < count; i++)
		peaks[i] = isSmall ? view.getInt8(start + i) * 256 : view.getInt16(start + 2 * i, true);
	return peaks;
}

/**
 * The least and greatest of a tile's points from one moment to another into
 * out[0] and out[1]; false where the tile has none there.  Points that are
 * there in part count.
 */
export function extremes(tile, peaks, from, to, out) {
	const perPoint = (tile.to - tile.from) / (peaks.length / 2);
	const first = Math.max(Math.floor((from - tile.from) / perPoint), 0);
	const last = Math.min(Math.max(Math.ceil((to - tile.from) / perPoint), first + 1), peaks.length / 2);

	if (first >= last)
		return false;
	out[0] = 32767;
	out[1] = -32768;
	for (let i = 2 * first; i < 2 * last; i += 2) {
		if (peaks[i] < out[0])
			out[0] = peaks[i];
		if (peaks[i + 1] > out[1])
			out[1] = peaks[i + 1];
	}
	return true;
}
