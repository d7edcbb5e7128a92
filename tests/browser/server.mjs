/*
 * server.mjs - the archives, and deploy/run in front of one of them.
 *
 * Environment:  BUILD_DIR          where restreamer is built; else build/
 *               BROWSER_ARCHIVES   a directory that keeps the archives between
 *                                  runs; else build/browser-archives
 *               RESTREAMER_WWW     another page than that of www/
 */
import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { end } from './tap.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));

export const ROOT = process.env.RESTREAMER_SOURCE ?? path.dirname(path.dirname(HERE));
export const BUILD = path.resolve(process.env.BUILD_DIR ?? path.join(ROOT, 'build'));
export const PROGRAM = path.join(BUILD, 'restreamer');
export const ARCHIVES = path.resolve(process.env.BROWSER_ARCHIVES ?? path.join(BUILD, 'browser-archives'));

const PAGE = process.env.RESTREAMER_WWW ? ['--www', process.env.RESTREAMER_WWW] : [];

export const run = promisify(execFile);

/** The directory of one of make-archives. */
export async function archive(name) {
	await run(path.join(HERE, 'make-archives'), [ARCHIVES, name], { maxBuffer: 1e8 });
	return path.join(ARCHIVES, name);
}

/** A directory that others may enter; it is removed at the end. */
export async function tempDir(what) {
	const dir = await mkdtemp(path.join(tmpdir(), `restreamer-${what}.`));

	await run('chmod', ['755', dir]);
	end(() => rm(dir, { recursive: true, force: true }));
	return dir;
}

function readyLine(child) {
	return new Promise((resolve, reject) => {
		let said = '';
		const listen = (data) => {
			said += data;
			const ready = /^ready (\S+)/m.exec(said);

			if (ready)
				resolve(ready[1]);
		};

		child.stdout.on('data', listen);
		child.stderr.on('data', listen);
		child.on('exit', (status) => reject(new Error(`deploy/run ended with ${status}: ${said}`)));
	});
}

/**
 * deploy/run over an archive: { url, stop(), start() }.  After a stop() it
 * starts on the same port.  options are those of restreamer serve.
 */
export async function serve(base, options = []) {
	const cache = await tempDir('cache');
	const server = { url: null, start, stop };
	let child = null;

	async function start() {
		const port = server.url ? new URL(server.url).port : '0';

		/* It ends with us, however we do. */
		child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', path.join(ROOT, 'deploy', 'run'), '--base', base, '--port', port, '--cache', path.join(cache, 'index'), '--', ...PAGE, ...options],
			{ env: { ...process.env, BUILD_DIR: BUILD }, stdio: ['ignore', 'pipe', 'pipe'] });
		server.url = await readyLine(child);
	}

	async function stop() {
		const was = child;

		if (!was || was.exitCode !== null)
			return;
		child = null;
		await new Promise((resolve) => {
			was.on('exit', resolve);
			was.kill('SIGTERM');
		});
	}

	end(stop);
	await start();
	return server;
}

/** Name and data of the recorded hour, in order of time. */
async function recorded() {
	const base = path.join(await archive('feed'), 'feed', 'source');
	const paths = [];

	for (const hour of (await readdir(base)).sort())
		for (const name of (await readdir(path.join(base, hour))).sort())
			paths.push(path.join(base, hour, name));
	return paths;
}

/**
 * A live archive: put(n) adds the n next segments of the recorded hour to
 * channel live, under names from the moment start on, as a downloader does.
 * Picture n of it (5 each second) is at start + n * 200 ms.
 */
export async function feed(base, start) {
	const paths = await recorded();
	let next = 0;

	async function one() {
		const at = new Date(start + next * 2000).toISOString();
		const folder = path.join(base, 'live', 'source', at.slice(0, 13));
		const name = `${at.slice(14, 23)}000-2-full-${path.basename(paths[next]).split('-full-')[1]}`;
		const temp = path.join(folder, `${at.slice(14, 23)}000-2-temp-${next}.ts`);

		await mkdir(folder, { recursive: true });
		await copyFile(paths[next++], temp);
		await rename(temp, path.join(folder, name));
	}

	return {
		/** Behind the last segment. */
		get end() {
			return start + next * 2000;
		},
		start,
		async put(count = 1) {
			for (let i = 0; i < count; i++)
				await one();
		},
	};
}

/** What check-cut says of a file as a cut of an archive; ranges in ms from its start. */
export async function checkCut(base, channel, quality, file, ranges, ...options) {
	const text = ranges.map((range) => range.map((ms) => (ms / 1000).toFixed(3)).join('-')).join(',');

	try {
		return { good: true, said: (await run(path.join(path.dirname(HERE), 'helper', 'check-cut'), [base, channel, quality, file, text, ...options])).stdout };
	} catch (error) {
		return { good: false, said: `${error.stdout}${error.stderr}` };
	}
}

/** The truth of make-archive: { start (ms), fps, runs } of a quality. */
export async function truth(base, channel, quality = 'source') {
	const said = JSON.parse(await readFile(path.join(base, '.truth', `${channel}-${quality}.json`), 'utf8'));

	return { ...said, start: Date.parse(`${said.start}Z`), fps: Number(said.fps) };
}
