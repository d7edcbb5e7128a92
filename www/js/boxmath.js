/*
 * boxmath.js - boxes [left, top, right, bottom] in whole pixels of a picture.
 *
 * What a hand drags stays within the picture { width, height }; what is typed
 * may reach outside, as far as the server takes it.
 */

const FARTHEST = 16384;
const LARGEST = 8192;

const clamp = (n, low, high) => Math.max(low, Math.min(n, high));

export const widthOf = (box) => box[2] - box[0];
export const heightOf = (box) => box[3] - box[1];

/** Why the server would not take a box, or null. */
export function faultOf(box) {
	if (!box.every((n) => Number.isInteger(n) && Math.abs(n) <= FARTHEST))
		return `whole numbers from -${FARTHEST} to ${FARTHEST}`;
	if (box[2] <= box[0] || box[3] <= box[1])
		return 'right must be beyond left, and bottom beyond top';
	if (widthOf(box) > LARGEST || heightOf(box) > LARGEST)
		return `at most ${LARGEST} pixels wide and high`;
	return null;
}

/** The box moved, as far as the picture lets it; one that reaches outside already may stay there. */
export function moveBox(box, dx, dy, picture) {
	const x = clamp(Math.round(dx), Math.min(0, -box[0]), Math.max(0, picture.width - box[2]));
	const y = clamp(Math.round(dy), Math.min(0, -box[1]), Math.max(0, picture.height - box[3]));

	return [box[0] + x, box[1] + y, box[2] + x, box[3] + y];
}

/*
 * One axis of a resize: side -1 moves the low edge, 1 the high one, 0 none.
 */
function stretch(low, high, side, by, most) {
	if (side < 0)
		return [clamp(Math.round(low + by), Math.min(0, low), high - 1), high];
	if (side > 0)
		return [low, clamp(Math.round(high + by), low + 1, Math.max(most, high))];
	return [low, high];
}

/* The edges of an axis with another length, about the edge that does not move. */
function about(low, high, side, length) {
	if (side < 0)
		return [high - length, high];
	if (side > 0)
		return [low, low + length];
	const from = Math.round((low + high - length) / 2);

	return [from, from + length];
}

/* How long an axis can be about the edge that does not move, within the picture. */
function room(low, high, side, most) {
	if (side < 0)
		return high;
	if (side > 0)
		return most - low;
	return 2 * Math.min((low + high) / 2, most - (low + high) / 2);
}

/**
 * The box with an edge or a corner moved.  handle: of n, s and e, w, as in
 * 'ne'.  aspect: width by height to be kept, or null.
 */
export function resizeBox(box, handle, dx, dy, picture, aspect = null) {
	const x = handle.includes('w') ? -1 : handle.includes('e') ? 1 : 0;
	const y = handle.includes('n') ? -1 : handle.includes('s') ? 1 : 0;
	const [left, right] = stretch(box[0], box[2], x, dx, picture.width);
	const [top, bottom] = stretch(box[1], box[3], y, dy, picture.height);

	if (!aspect)
		return [left, top, right, bottom];
	const wanted = x && y ? (right - left + (bottom - top) * aspect) / 2 : x ? right - left : (bottom - top) * aspect;
	const most = Math.min(room(box[0], box[2], x, picture.width), room(box[1], box[3], y, picture.height) * aspect);
	const width = Math.max(1, Math.min(wanted, Math.max(most, 1)));
	const [l, r] = about(box[0], box[2], x, Math.max(1, Math.round(width)));
	const [t, b] = about(box[1], box[3], y, Math.max(1, Math.round(width / aspect)));

	return [l, t, r, b];
}

/** The largest box of a shape about the middle of a box, no larger than that was, within the picture. */
export function fitAspect(box, aspect, picture) {
	const width = Math.min(widthOf(box), heightOf(box) * aspect, picture.width, picture.height * aspect);
	const w = Math.max(1, Math.round(width));
	const h = Math.max(1, Math.round(width / aspect));
	const left = Math.round((box[0] + box[2] - w) / 2);
	const top = Math.round((box[1] + box[3] - h) / 2);

	return moveBox([left, top, left + w, top + h], 0, 0, picture);
}

/** Whether some of a box is not in the picture. */
export const isOutside = (box, picture) => box[0] < 0 || box[1] < 0 || box[2] > picture.width || box[3] > picture.height;

/** Whether two boxes have the same shape, but for what whole pixels cannot do. */
export function sameShape(a, b) {
	return Math.abs(widthOf(a) / heightOf(a) - widthOf(b) / heightOf(b)) < 0.01 * widthOf(b) / heightOf(b);
}

/** All of a picture. */
export const wholeBox = (picture) => [0, 0, picture.width, picture.height];
