/* The modules of the page that need no browser, each alone; and that all scripts can be read. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from 'node:test';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { finish, found, skip } from './tap.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const WWW = path.join(HERE, '..', '..', 'www', 'js');

async function scripts(folder) {
	return (await readdir(folder)).filter((name) => /\.m?js$/.test(name)).sort().map((name) => path.join(folder, name));
}

/* node --check takes .js for modules only beside a package.json, so they are given by stdin. */
async function unreadable(file) {
	try {
		await promisify(execFile)('sh', ['-c', '"$0" --input-type=module --check <"$1"', process.execPath, file]);
		return null;
	} catch (error) {
		return `${file}: ${error.stderr}`;
	}
}

const IMPORT = /^import \{([^}]*)\} from '(\.[^']*)';/gm;
const EXPORT = /^export (?:async )?(?:function\*?|const|class|let) (\w+)/gm;

/* What a module takes from others that do not export it: with one of these no page starts. */
async function unknownImports(file) {
	const unknown = [];

	for (const [, names, from] of (await readFile(file, 'utf8')).matchAll(IMPORT)) {
		const of = await readFile(path.join(path.dirname(file), from), 'utf8').catch(() => '');
		const there = new Set([...of.matchAll(EXPORT)].map(([, name]) => name));

		for (const name of names.split(',').map((one) => one.trim().split(' as ')[0]).filter(Boolean))
			if (!there.has(name))
				unknown.push(`${file}: ${from} exports no ${name}`);
	}
	return unknown;
}

const tests = run({ files: (await scripts(path.join(HERE, 'unit'))).filter((file) => file.endsWith('.test.mjs')), timeout: 60000 });
const isTest = (data) => data.details?.type !== 'suite' && !data.name.endsWith('.test.mjs');

tests.on('test:pass', (data) => isTest(data) && (data.skip === undefined ? found(true, data.name) : skip(data.name, 'Node.js 18')));
tests.on('test:fail', (data) => found(false, data.name, data.details.error.cause?.stack ?? data.details.error.stack));
tests.on('data', () => {});
await new Promise((resolve) => tests.on('end', resolve));

const wrong = (await Promise.all([...await scripts(WWW), ...await scripts(HERE)].map(unreadable))).filter(Boolean);

found(!wrong.length, 'node --check has nothing to say of any script', wrong.join('\n'));
const unknown = (await Promise.all((await scripts(WWW)).map(unknownImports))).flat();

found(!unknown.length, 'all that modules import is exported', unknown.join('\n'));
await finish();
