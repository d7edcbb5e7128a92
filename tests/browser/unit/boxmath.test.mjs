/*
 * Boxes on a picture: what a drag makes of them.
 */
import './old-node.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { faultOf, fitAspect, heightOf, moveBox, resizeBox, sameShape, widthOf } from '../../../www/js/boxmath.js';

const PICTURE = { width: 1920, height: 1080 };
const HANDLES = ['nw', 'n', 'ne', 'e', 'se', 's', 'sw', 'w'];

function isWithin(box) {
	return box.every(Number.isInteger) && box[0] >= 0 && box[1] >= 0 && box[2] <= PICTURE.width && box[3] <= PICTURE.height && box[2] > box[0] && box[3] > box[1];
}

test('moved boxes keep their size and stay in the picture', () => {
	assert.deepEqual(moveBox([10, 20, 110, 220], 5.4, -3.6, PICTURE), [15, 16, 115, 216]);
	assert.deepEqual(moveBox([10, 20, 110, 220], -999, 9999, PICTURE), [0, 880, 100, 1080]);
});

test('a box outside may stay there, and come back', () => {
	assert.deepEqual(moveBox([-50, 0, 50, 100], 0, 0, PICTURE), [-50, 0, 50, 100]);
	assert.deepEqual(moveBox([-50, 0, 50, 100], 20, 0, PICTURE), [-30, 0, 70, 100]);
	assert.deepEqual(moveBox([-50, 0, 50, 100], -20, 0, PICTURE), [-50, 0, 50, 100]);
});

test('handles move their own edges only', () => {
	const box = [100, 100, 300, 200];

	assert.deepEqual(resizeBox(box, 'nw', -10, 5, PICTURE), [90, 105, 300, 200]);
	assert.deepEqual(resizeBox(box, 'e', 10, 99, PICTURE), [100, 100, 310, 200]);
	assert.deepEqual(resizeBox(box, 's', 99, 10, PICTURE), [100, 100, 300, 210]);
	assert.deepEqual(resizeBox(box, 'w', 9999, 0, PICTURE), [299, 100, 300, 200]);
	assert.deepEqual(resizeBox(box, 'ne', 9999, -9999, PICTURE), [100, 0, 1920, 200]);
});

test('no drag leaves the picture or turns a box around, with a shape or without', () => {
	let seed = 7;
	const random = (n) => (seed = (seed * 48271) % 2147483647) % n;

	for (let i = 0; i < 5000; i++) {
		const left = random(1900);
		const top = random(1060);
		const box = [left, top, left + 1 + random(1920 - left), top + 1 + random(1080 - top)];
		const dragged = resizeBox(box, HANDLES[random(8)], random(4000) - 2000, random(3000) - 1500, PICTURE, i % 2 ? null : 16 / 9);

		assert.ok(dragged[2] > dragged[0] && dragged[3] > dragged[1], `${box} ${dragged}`);
		if (i % 2)
			assert.ok(isWithin(dragged), `${box} ${dragged}`);
	}
});

test('a shape is kept about the edge that does not move', () => {
	const to = resizeBox([100, 100, 420, 280], 'se', 160, 90, PICTURE, 16 / 9);

	assert.deepEqual(to, [100, 100, 580, 370]);
	assert.deepEqual(resizeBox([100, 100, 420, 280], 'nw', 160, 90, PICTURE, 16 / 9), [260, 190, 420, 280]);
	assert.deepEqual(resizeBox([100, 100, 420, 280], 'se', -32, 0, PICTURE, 16 / 9), [100, 100, 404, 271]);
	const wide = resizeBox([100, 100, 420, 280], 'e', 9999, 0, PICTURE, 16 / 9);

	assert.ok(isWithin(wide) && sameShape(wide, [0, 0, 16, 9]), String(wide));
});

test('a shape is fitted about the middle', () => {
	const fitted = fitAspect([0, 0, 1920, 1080], 4 / 3, PICTURE);

	assert.deepEqual(fitted, [240, 0, 1680, 1080]);
	assert.ok(isWithin(fitAspect([1800, 1000, 1920, 1080], 5, PICTURE)));
	assert.deepEqual([widthOf(fitted), heightOf(fitted)], [1440, 1080]);
});

test('what the server would refuse', () => {
	assert.equal(faultOf([0, 0, 1, 1]), null);
	assert.equal(faultOf([-16384, 0, -16000, 1]), null);
	for (const box of [[0, 0, 0, 1], [0, 5, 1, 1], [0, 0, NaN, 1], [0.5, 0, 1, 1], [0, 0, 8193, 1], [0, 0, 16385, 1]])
		assert.ok(faultOf(box), String(box));
});
