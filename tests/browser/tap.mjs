/*
 * tap.mjs - results as tests/http/tap adds them up.
 *
 * A test is a function that throws where something is not as it must be; its
 * text says what holds if it does not.  Those who set something up for a test
 * say with after() how it is looked at and taken down when it has ended.
 *
 * Environment:  TEST_ONLY      a pattern; tests whose text is not like it are
 *                              left out
 *               TEST_TIMEOUT   seconds that a file may take (600)
 */

let count = 0;
let failed = 0;
const afterTest = [];
const atEnd = [];

export function diag(text) {
	for (const line of String(text).split('\n'))
		console.log(`# ${line}`);
}

function result(good, text, directive = '') {
	count++;
	failed += good ? 0 : 1;
	console.log(`${good ? 'ok' : 'not ok'} ${count} - ${text.replace(/#/g, '\\#').replace(/\n/g, ' ')}${directive}`);
}

/** fn(failed) is called when the test that runs has ended; what it throws is a failure of that test. */
export const after = (fn) => afterTest.push(fn);

/** fn() is called before the program ends, the last one first. */
export const end = (fn) => atEnd.push(fn);

async function outcome(fn) {
	const errors = [];

	try {
		await fn();
	} catch (error) {
		errors.push(error);
	}
	for (const look of afterTest.splice(0).reverse())
		try {
			await look(errors.length > 0);
		} catch (error) {
			errors.push(error);
		}
	return errors;
}

/** Runs one test; does not throw. */
export async function test(text, fn) {
	if (!new RegExp(process.env.TEST_ONLY ?? '').test(text))
		return;
	const began = performance.now();
	const errors = await outcome(fn);

	result(!errors.length, text);
	for (const error of errors)
		diag((error.stack ?? String(error)).replace(/Browser logs:[^]*?(?=\n    at )/, '').slice(0, 3000));
	diag(`${((performance.now() - began) / 1000).toFixed(1)} s`);
}

/** A result that something else found. */
export function found(good, text, why = '') {
	result(good, text);
	if (!good)
		diag(why);
}

export function skip(text, why) {
	result(true, text, ` # SKIP ${why}`);
}

async function stop() {
	while (atEnd.length)
		try {
			await atEnd.pop()();
		} catch (error) {
			diag(`while stopping: ${error.stack ?? error}`);
		}
}

export async function skipAll(why) {
	await stop();
	console.log(`1..0 # SKIP ${why}`);
	process.exit(0);
}

/** The last line of every file of tests. */
export async function finish() {
	await stop();
	console.log(`1..${count}`);
	process.exit(failed || !count ? 1 : 0);
}

async function bailOut(why) {
	console.log(`Bail out! ${why}`);
	await stop();
	process.exit(99);
}

for (const signal of ['SIGTERM', 'SIGINT'])
	process.on(signal, () => bailOut(signal));
process.on('unhandledRejection', (error) => bailOut(error.stack ?? error));
setTimeout(() => bailOut('took too long'), Number(process.env.TEST_TIMEOUT ?? 600) * 1000).unref();
