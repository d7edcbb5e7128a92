/*
 * commands.js - a cut as a line for a shell: the same bytes as the page's own
 * download of it.
 *
 * Quoted for any POSIX shell; what comes in may be any text without NUL.
 */
import { isoTime } from './time.js';

const PLAIN = /^[A-Za-z0-9_.,:/=@%+-]+$/;

/** A word of a shell that means just this text. */
export function shellQuote(text) {
	return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/* A name of a file that no program takes for an option or for standard output. */
const fileWord = (name) => shellQuote(name.startsWith('-') ? `./${name}` : name);

/**
 * curl, which goes on where it broke off if the answer has byte ranges.
 * url: the whole one.  The braces and brackets in which curl would see lists
 * are encoded by urls of api.js.
 */
export function curlLine(url, name, { ranges = false, upload = null } = {}) {
	const words = ['curl', '-fL'];

	if (ranges)
		words.push('-C', '-');
	words.push('--retry', '5');
	if (upload)
		words.push('-H', shellQuote(`Content-Type: ${upload.type}`), '--data-binary', shellQuote(`@${upload.name}`));
	words.push('-o', fileWord(name), `'${url.replaceAll("'", "'\\''")}'`);
	return words.join(' ');
}

/* Arguments of /cut, as api.js takes them, without what is only of a browser. */
function optionsOf(others) {
	return Object.entries(others).filter(([name, value]) => name !== 'download' && value !== null && value !== undefined)
		.flatMap(([name, value]) => [`--${name}`, shellQuote(String(value))]);
}

/**
 * The program itself, to be run where the archive is.  others: as for
 * urls.cut(), with the type there even where the ending of a URL would choose it.
 */
export function programLine(channel, quality, ranges, joins, others, name) {
	const words = ['restreamer', 'cut', shellQuote(channel), shellQuote(quality)];

	for (const range of ranges)
		words.push('--range', `${isoTime(range.in)},${isoTime(range.out)}`);
	if (joins.some(Boolean))
		for (const join of joins)
			words.push('--transition', join ? shellQuote(`${join.type},${join.seconds}`) : "''");
	return [...words, ...optionsOf(others), '-o', fileWord(name)].join(' ');
}
