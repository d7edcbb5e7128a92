/* edit.js: ranges, marks, joins, and the way back. */
import { seeded } from './old-node.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as edit from '../../../www/js/edit.js';

const marks = (value) => value.ranges.map((range) => [range.in, range.out]);
const FADE = { type: 'fade', seconds: 1 };

function ofMarks(...pairs) {
	return pairs.reduce((value, [from, to]) => edit.add(value, from, to), edit.NOTHING);
}

test('I and O make a range, and change its marks', () => {
	let value = edit.markIn(edit.NOTHING, 1000);

	assert.deepEqual(marks(value), [[1000, null]]);
	value = edit.markOut(value, 5000);
	assert.deepEqual(marks(value), [[1000, 5000]]);
	value = edit.markIn(value, 2000);
	value = edit.markOut(value, 4000);
	assert.deepEqual(marks(value), [[2000, 4000]]);
});

test('an in mark behind the range begins a new one', () => {
	const value = edit.markIn(ofMarks([1000, 5000]), 6000);

	assert.deepEqual(marks(value), [[1000, 5000], [6000, null]]);
	assert.equal(value.selected, value.ranges[1].id);
	assert.deepEqual(value.joins, [null]);
});

test('an out mark before the in mark is refused', () => {
	const value = ofMarks([1000, null]);

	assert.equal(edit.markOut(value, 1000), null);
	assert.equal(edit.markOut(value, 500), null);
	assert.notEqual(edit.markOut(value, 1004), null);
	assert.deepEqual(marks(edit.markOut(edit.NOTHING, 700)), [[null, 700]]);
});

test('a mark that is moved stops short of the other', () => {
	const value = ofMarks([1000, 5000]);
	const { id } = value.ranges[0];

	assert.deepEqual(marks(edit.trim(value, id, 'in', 9000)), [[4996, 5000]]);
	assert.deepEqual(marks(edit.trim(value, id, 'out', 10)), [[1000, 1004]]);
	assert.deepEqual(marks(edit.trim(value, id, 'in', 10)), [[10, 5000]]);
	assert.deepEqual(marks(edit.slide(value, id, -300)), [[700, 4700]]);
	assert.equal(edit.trim(value, 99, 'in', 0), value);
	assert.equal(edit.slide(value, 99, 5), value);
});

test('what is added comes behind what is selected', () => {
	let value = ofMarks([1, 100], [201, 300], [401, 500]);

	value = edit.add(edit.select(value, value.ranges[0].id), 601, 700);
	assert.deepEqual(marks(value), [[1, 100], [601, 700], [201, 300], [401, 500]]);
	assert.equal(value.joins.length, 3);
});

test('removing selects what is near, and takes a join with it', () => {
	let value = ofMarks([1, 100], [201, 300], [401, 500]);

	value = edit.join(value, 1, FADE);
	value = edit.remove(value, value.ranges[2].id);
	assert.deepEqual(marks(value), [[1, 100], [201, 300]]);
	assert.deepEqual(value.joins, [null]);
	assert.equal(value.selected, value.ranges[1].id);
	value = edit.remove(edit.remove(value, value.ranges[0].id), value.ranges[1].id);
	assert.deepEqual(value, edit.NOTHING);
	assert.equal(edit.remove(value, 5), value);
});

test('ranges move, joins stay where they are', () => {
	let value = edit.join(ofMarks([1, 100], [201, 300], [401, 500]), 0, FADE);

	value = edit.move(value, value.ranges[2].id, 0);
	assert.deepEqual(marks(value), [[401, 500], [1, 100], [201, 300]]);
	assert.deepEqual(value.joins, [FADE, null]);
	assert.deepEqual(marks(edit.move(value, value.ranges[0].id, 99)), [[1, 100], [201, 300], [401, 500]]);
	assert.equal(edit.move(value, value.ranges[0].id, -3), value);
});

test('whole ranges, their joins, and how long they are', () => {
	let value = ofMarks([1000, 5000], [7000, null], [10000, 13000]);

	value = edit.join(edit.join(value, 0, { type: 'wipeleft', seconds: 2 }), 1, FADE);
	assert.deepEqual(edit.wholeOf(value), { ranges: [value.ranges[0], value.ranges[2]], joins: [FADE] });
	assert.equal(edit.lengthOf(value), 4000 + 3000 - 1000);
	assert.equal(edit.longestJoin(value, 0), 0);
	assert.equal(edit.longestJoin(ofMarks([0, 4000], [9000, 12000]), 0), 3000);
	assert.equal(edit.lengthOf(edit.NOTHING), 0);
});

function historyOf(first) {
	let value = first;

	return { history: edit.createHistory(() => value, (next) => { value = next; }), value: () => value };
}

test('undo and redo', () => {
	const { history, value } = historyOf(edit.NOTHING);

	assert.equal(history.undo(), false);
	history.change((was) => edit.markIn(was, 1000));
	history.change((was) => edit.markOut(was, 2000));
	assert.equal(history.change((was) => edit.markOut(was, 500)), false);
	assert.ok(history.undo());
	assert.deepEqual(marks(value()), [[1000, null]]);
	assert.ok(history.redo());
	assert.deepEqual(marks(value()), [[1000, 2000]]);
	assert.equal(history.redo(), false);
	history.undo();
	history.change((was) => edit.markOut(was, 3000));
	assert.equal(history.canRedo(), false, 'what was undone is gone after another change');
});

test('a drag is one step, selecting is none', () => {
	const { history, value } = historyOf(ofMarks([1000, 5000]));
	const { id } = value().ranges[0];

	history.begin();
	for (let ms = 1000; ms <= 2000; ms += 10)
		history.change((was) => edit.trim(was, id, 'in', ms));
	history.end();
	history.change((was) => edit.select(was, null));
	history.undo();
	assert.deepEqual(marks(value()), [[1000, 5000]]);
	assert.equal(history.canUndo(), false);
	history.begin();
	history.end();
	assert.equal(history.canUndo(), false, 'a drag that moved nothing');
});

/* One of all there is, at random. */
function anyChange(random) {
	const ms = Math.floor(random() * 100000);
	const one = (value) => value.ranges[Math.floor(random() * value.ranges.length)]?.id ?? 0;

	return [
		(value) => edit.markIn(value, ms), (value) => edit.markOut(value, ms), (value) => edit.add(value, ms, ms + 1000),
		(value) => edit.trim(value, one(value), random() < 0.5 ? 'in' : 'out', ms), (value) => edit.slide(value, one(value), ms - 50000),
		(value) => edit.select(value, one(value)), (value) => edit.remove(value, one(value)),
		(value) => edit.move(value, one(value), Math.floor(random() * 5)),
		(value) => value.joins.length ? edit.join(value, Math.floor(random() * value.joins.length), random() < 0.5 ? FADE : null) : value,
	][Math.floor(random() * 9)];
}

function check(value) {
	const ids = value.ranges.map((range) => range.id);

	assert.equal(new Set(ids).size, ids.length, 'ids are unique');
	assert.equal(value.joins.length, Math.max(0, ids.length - 1), 'a join between each two');
	assert.ok(value.selected === null || ids.includes(value.selected) || !ids.length || value.selected === 0, 'what is selected is there');
	for (const range of value.ranges)
		assert.ok(range.in === null || range.out === null || range.out - range.in >= 4, 'the out mark is behind the in mark');
}

test('whatever is done holds together, and is undone to the last step', () => {
	const random = seeded(2);

	for (let round = 0; round < 100; round++) {
		const { history, value } = historyOf(edit.NOTHING);

		for (let i = 0; i < 60; i++) {
			history.change(anyChange(random));
			check(value());
			if (random() < 0.2)
				history.undo();
			if (random() < 0.1)
				history.redo();
			check(value());
		}
		const last = marks(value());
		let steps = 0;

		while (history.undo())
			steps++;
		assert.deepEqual(marks(value()), []);
		while (steps--)
			history.redo();
		assert.deepEqual(marks(value()), last);
	}
});
