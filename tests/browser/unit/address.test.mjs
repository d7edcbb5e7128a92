/* address.js: the state in a link; what is read of it is what was written. */
import { seeded } from './old-node.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress, parseAddress } from '../../../www/js/address.js';
import { TRANSITIONS, isTransition } from '../../../www/js/transitions.js';

const types = Object.values(TRANSITIONS).flat();

test('an address by hand', () => {
	const said = parseAddress('#main/source?t=2026-11-07T02:00:00.016&range=2026-11-07T02:00:00.016,2026-11-07T02:00:10' +
		'&range=2026-11-07T03:00:00,&transition=fade,1&clock=since&zero=2026-11-07T01:00:00');

	assert.deepEqual(said, {
		channel: 'main', quality: 'source', at: Date.parse('2026-11-07T02:00:00.016Z'),
		edit: {
			ranges: [{ id: 1, in: Date.parse('2026-11-07T02:00:00.016Z'), out: Date.parse('2026-11-07T02:00:10Z') }, { id: 2, in: Date.parse('2026-11-07T03:00:00Z'), out: null }],
			joins: [{ type: 'fade', seconds: 1 }], selected: 1,
		},
		clock: { zone: 'since', zero: Date.parse('2026-11-07T01:00:00Z') },
	});
});

test('nothing', () => {
	for (const hash of ['', '#', '#/', '#?', '#/?x'])
		assert.deepEqual(parseAddress(hash), { channel: '', quality: '', at: null, edit: { ranges: [], joins: [], selected: null }, clock: null }, hash);
});

test('what is not understood is left out', () => {
	const said = parseAddress('#main/source?t=now&range=1,2&range=2026-11-07T02:00:10,2026-11-07T02:00:00&range=,&range=2026-11-07T02:00:00,2026-11-07T02:00:10' +
		'&range=2026-11-07T03:00:00&transition=nonsense,1&clock=mars&zero=x&more=<script>');

	assert.equal(said.at, null);
	assert.deepEqual(said.edit.ranges.map((range) => [range.in, range.out]), [[Date.parse('2026-11-07T02:00:00Z'), Date.parse('2026-11-07T02:00:10Z')], [Date.parse('2026-11-07T03:00:00Z'), null]]);
	assert.deepEqual(said.edit.joins, [null]);
	assert.equal(said.clock, null);
});

test('transitions that are none', () => {
	for (const text of ['fade', 'fade,', 'fade,0', 'fade,-1', 'fade,61', 'fade,x', 'constructor,1', '__proto__,1', ',1'])
		assert.deepEqual(parseAddress(`#a/b?range=2026-11-07,&range=2026-11-07T00:00:01,2026-11-07T00:00:02&range=2026-11-07T00:00:03,2026-11-07T00:00:04&transition=${text}`).edit.joins, [null], text);
	assert.ok(types.every(isTransition) && types.length > 50 && new Set(types).size === types.length);
	assert.ok(!isTransition('toString'));
});

test('mangled addresses are read without an error', () => {
	const random = seeded(3);
	const good = '#main/so%20urce?t=2026-11-07T02:00:00.016&range=2026-11-07T02:00:00.016,2026-11-07T02:00:10&transition=fade,1&clock=since&zero=2026-11-07T01:00:00';

	for (let i = 0; i < 5000; i++) {
		const at = Math.floor(random() * good.length);
		const text = good.slice(0, at) + '%&?#/=,:+.-<\u0000é'[Math.floor(random() * 14)] + good.slice(at + Math.floor(random() * 5));

		parseAddress(text);
	}
	assert.equal(parseAddress('#%E0%A4%A/source').channel, '');
	assert.equal(parseAddress(`#a/b?${'range=2026-11-07T00:00:00,2026-11-07T00:00:01&'.repeat(1000)}`).edit.ranges.length, 100);
});

const NAMES = ['main', 'a b', 'ünïcödé 🎬', 'a/b', '?#&=%', "o'clock", '<b>', '100%', '+', '..'];

function anyState(random) {
	const pick = (list) => list[Math.floor(random() * list.length)];
	const moment = () => Math.floor(random() * 4e12);
	const ranges = Array.from({ length: Math.floor(random() * 6) }, (_, i) => {
		const from = moment();
		const kind = random();

		return { id: i + 1, in: kind < 0.15 ? null : from, out: kind > 0.85 ? null : from + 1 + Math.floor(random() * 1e7) };
	});

	return {
		channel: pick(NAMES), quality: pick(NAMES), at: random() < 0.2 ? null : moment(),
		edit: {
			ranges, selected: ranges[0]?.id ?? null,
			joins: ranges.slice(1).map(() => random() < 0.5 ? null : { type: pick(types), seconds: Math.ceil(random() * 600) / 10 }),
		},
		clock: pick([{ zone: 'utc', zero: null }, { zone: 'local', zero: null }, { zone: 'since', zero: moment() }]),
	};
}

test('what is read is what was written', () => {
	const random = seeded(4);

	for (let i = 0; i < 3000; i++) {
		const state = anyState(random);
		const text = formatAddress(state);
		const said = parseAddress(text);

		assert.deepEqual({ ...said, clock: said.clock ?? { zone: 'utc', zero: null } }, state, text);
		assert.equal(new URL(`http://x/${text}`).hash, text.replace(/[<>"` ]/g, encodeURIComponent), 'a browser leaves it as it is');
	}
});

test('a range that is mangled takes its own joins with it, and no others', () => {
	const range = (n) => `range=2026-11-07T02:0${n}:00,2026-11-07T02:0${n}:30`;
	const { edit } = parseAddress(`#main/source?${range(1)}&range=x,y&${range(3)}&${range(4)}&transition=fade,1&transition=wipeleft,1&transition=radial,2`);

	assert.deepEqual(edit.joins, [null, { type: 'radial', seconds: 2 }]);
});
