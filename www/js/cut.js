/*
 * cut.js - the cut: what becomes of the ranges that are marked.
 *
 * The server is asked what each change would give (its dry run) before
 * anything is made.  The cut itself is fetched by the page (download.js), left
 * to the browser, or taken away as a command.
 */
import { absolute, urls } from './api.js';
import { curlLine, programLine } from './commands.js';
import { createPlanner } from './cutask.js';
import { buildForm, drawPlan, nothing } from './cutform.js';
import { counted, cutArgs, formatBytes, hasRanges, safeName, typeOf } from './cutplan.js';
import { createDownloads } from './download.js';
import { mountDownloadList } from './downloadlist.js';
import { el, setText } from './dom.js';
import { lengthOf, wholeOf } from './edit.js';
import { openSink } from './saving.js';
import { formatDuration, isoTime } from './time.js';

/** The name that a cut has if nobody gives it one. */
export const defaultName = (channel, from) => safeName(`${channel}-${isoTime(from).slice(0, 19)}`);

/* The moment of the last picture before the first hole in the ranges of the cut, or null. */
async function firstHole(app, ranges) {
	for (const range of ranges) {
		const holes = await app.coverage.holesIn(range.in, range.out);

		if (holes.length)
			return holes[0].from > range.in ? Math.max(holes[0].from - app.store.state.frameMs, range.in) : range.in;
	}
	return null;
}

/* A download waits for a server that is busy or away. */
const willPass = (error) => error.status === 0 || error.status === 503;

/* The plan knows of holes, and of what whole segments add. */
function goWords(ms, known) {
	const { bytes, duration } = known.state === 'known' ? known.plan : {};
	const length = formatDuration(Number.isFinite(duration) ? duration * 1000 : ms);

	return `Cut ${length}${Number.isFinite(bytes) ? `, ${formatBytes(bytes)}` : ''}`;
}

export function mountCut(root, app) {
	const { state } = app.store;
	const parts = buildForm(app);
	const empty = nothing();
	const list = el('section', { class: 'dl-section', 'aria-label': 'Downloads' }, el('h2', {}, 'Downloads'));
	let known = { state: 'asking' };
	let cut = null;

	const planner = createPlanner(app.api, (next) => {
		known = next.state === 'asking' ? { ...next, plan: known.plan } : next;
		drawKnown();
		draw();
	});
	const downloads = createDownloads({ fetch: (...args) => fetch(...args), onChange: (job) => { changed(job); } });
	const redraw = mountDownloadList(list, downloads);

	root.classList.add('cut');
	root.append(empty, parts.form, parts.commands, list);

	const fileName = () => `${safeName(parts.name.value || parts.name.placeholder)}.${cut.ending}`;
	const urlOf = (more = {}) => urls.cut(cut.channel, cut.quality, cut.ending, cut.ranges, cut.joins, { ...cut.args, ...more });

	function changed(job) {
		redraw(job);
		if (job.state === 'done')
			drawKnown();
	}

	/* The cut as it stands: what is asked for, and what the commands say. */
	function read() {
		const { ranges, joins } = wholeOf(state.edit);
		const type = typeOf(parts.type.value);

		if (!ranges.length || !state.channel || !state.quality)
			return null;
		return { channel: state.channel, quality: state.quality, ending: type.ending, ranges, joins, type,
			args: cutArgs(type, { holes: parts.holes.box.checked, faststart: parts.faststart.box.checked }) };
	}

	function update() {
		cut = read();
		empty.hidden = Boolean(cut);
		parts.form.hidden = parts.commands.hidden = !cut;
		if (!cut) {
			planner.drop();
			known = { state: 'asking' };
			return;
		}
		setText(parts.says, cut.type.says);
		parts.faststart.root.hidden = cut.type.id !== 'mp4';
		setText(parts.ending, `.${cut.ending}`);
		parts.name.placeholder = defaultName(cut.channel, cut.ranges[0].in);
		if (state.tab === 'cut')
			planner.ask(cut);
		draw();
	}

	function draw() {
		if (!cut)
			return;
		const ms = lengthOf(state.edit);
		const holes = known.plan?.holes > 0 && !parts.holes.box.checked;

		setText(parts.sum, `${counted(cut.ranges.length, 'range')}, ${formatDuration(ms, 3)}`);
		setText(parts.go.lastChild, goWords(ms, known));
		parts.go.disabled = parts.link.hidden = (known.state === 'refused' && !willPass(known.error)) || holes;
		drawCommands();
	}

	const drawKnown = () => cut && drawPlan(parts, known, { type: cut.type, measured: downloads.measured, isAllowed: parts.holes.box.checked, showFirst });

	function drawCommands() {
		const name = fileName();
		const ranges = hasRanges(cut.type, parts.faststart.box.checked);

		parts.link.href = absolute(urlOf({ download: name }));
		parts.link.download = name;
		setText(parts.curl.code, curlLine(absolute(urlOf()), name, { ranges }));
		setText(parts.program.code, programLine(cut.channel, cut.quality, cut.ranges, cut.joins, cut.args, name));
	}

	async function showFirst() {
		try {
			const at = await firstHole(app, cut.ranges);

			if (at !== null)
				app.player.seek(at);
			else
				app.say('No hole is known there any more', { kind: 'info' });
		} catch (error) {
			app.say(`The holes cannot be listed: ${error.message}`, { kind: 'bad' });
		}
	}

	async function go() {
		const what = { url: absolute(urlOf()), name: fileName(), pictures: known.state === 'known' ? known.plan.frames_to_encode ?? 0 : 0 };
		const sink = await openSink(what.name);

		if (!sink)
			return;
		const job = await downloads.start(what, sink).ended;

		if (job.state === 'done')
			app.say(`${job.name} is there`, { kind: 'info' });
		else if (job.state === 'failed')
			app.say(`${job.name} failed: ${job.fault}`, { kind: 'bad' });
	}

	parts.form.addEventListener('submit', (event) => {
		event.preventDefault();
		if (cut && !parts.go.disabled)
			go();
	});
	parts.form.addEventListener('change', update);
	parts.holes.box.addEventListener('change', drawKnown);
	parts.name.addEventListener('input', draw);
	app.store.watch(['edit', 'channel', 'quality', 'tab'], update);
	window.addEventListener('beforeunload', (event) => {
		if (!downloads.isBusy())
			return;
		event.preventDefault();
		event.returnValue = '';
	});
}
