/*
 * The lines for a shell: what a shell makes of them.
 */
import './old-node.mjs';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { curlLine, programLine, shellQuote } from '../../../www/js/commands.js';
import { urls } from '../../../www/js/api.js';

const NASTY = ['', ' ', "'", "''", "it's", '"', '$HOME', '`id`', '$(id)', '\\', "\\'", '!', '!!', '*', '?', '[a]', '{a,b}', '~', '#', ';', '&', '|', '<', '>',
	'(', ')', '\n', 'a\nb', '\t', '-n', '--', '%s', 'ünïcödé 日本 🎬', "'; rm -rf /; '", "a'b\"c$d`e\\f", '=x', 'a=b'];

/* The words that a shell sees, one argument each. */
function wordsOf(line) {
	const out = execFileSync('/bin/sh', ['-c', `for w in ${line}; do printf '%s\\0' "$w"; done`]).toString();

	return out.split('\0').slice(0, -1);
}

test('every text is one word, and itself', () => {
	for (const text of NASTY)
		assert.equal(execFileSync('/bin/sh', ['-c', `printf %s ${shellQuote(text)}`]).toString(), text);
	assert.equal(shellQuote('plain-1.ts'), 'plain-1.ts');
});

test('curl: names, ranges, uploads', () => {
	for (const name of NASTY.filter(Boolean)) {
		const words = wordsOf(curlLine('http://x/a?b=c&d=e', name, { ranges: true }));

		assert.deepEqual(words, ['curl', '-fL', '-C', '-', '--retry', '5', '-o', name.startsWith('-') ? `./${name}` : name, 'http://x/a?b=c&d=e']);
	}
	assert.ok(!curlLine('http://x/', 'a').includes('-C'));
	assert.deepEqual(wordsOf(curlLine('http://x/', 'a', { upload: { type: 'image/png', name: "my 'own'.png" } })).slice(4, 8),
		['-H', 'Content-Type: image/png', '--data-binary', "@my 'own'.png"]);
});

test('curl: no letter of a URL is a glob', () => {
	const url = `http://x/${urls.cut('a[1-3]{b,c}', 'q', 'ts', [{ in: 0, out: 1000 }], [], { type: 'smart' })}`;

	assert.ok(!/[[\]{}]/.test(url));
	assert.equal(wordsOf(curlLine(url, 'a')).at(-1), url);
});

test('the program: ranges, transitions, options', () => {
	const ranges = [{ in: 0, out: 1000 }, { in: 2000, out: 3000 }, { in: 4000, out: 5000 }];
	const line = programLine("odd name+&%é'", 'source', ranges, [null, { type: 'fade', seconds: 0.5 }], { type: 'mp4', faststart: 'true', allow_holes: null, download: 'x' }, '-x.mp4');

	assert.deepEqual(wordsOf(line), ['restreamer', 'cut', "odd name+&%é'", 'source',
		'--range', '1970-01-01T00:00:00.000,1970-01-01T00:00:01.000', '--range', '1970-01-01T00:00:02.000,1970-01-01T00:00:03.000',
		'--range', '1970-01-01T00:00:04.000,1970-01-01T00:00:05.000', '--transition', '', '--transition', 'fade,0.5',
		'--type', 'mp4', '--faststart', 'true', '-o', './-x.mp4']);
});

test('the program: no transition where all cuts are hard', () => {
	assert.ok(!programLine('c', 'q', [{ in: 0, out: 1 }, { in: 2, out: 3 }], [null], { type: 'smart' }, 'a').includes('--transition'));
});
