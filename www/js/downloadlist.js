/*
 * downloadlist.js - the page's downloads, as a list that tells how far each is.
 */
import { formatBytes, roughly } from './cutplan.js';
import { hasEnded } from './download.js';
import { el, icon, setText } from './dom.js';

const button = (id, label, run) => el('button', { type: 'button', class: 'icon bare', 'aria-label': label, title: label, on: { click: run } }, icon(id));

function amount(job) {
	return job.total === null ? formatBytes(job.received) : `${formatBytes(job.received)} of ${formatBytes(job.total)}`;
}

function pace(job) {
	const speed = job.meter.speed();

	if (!speed)
		return '';
	const left = job.total === null ? '' : `, ${roughly((job.total - job.received) / speed)} left`;

	return ` · ${formatBytes(speed)}/s${left}`;
}

/** What a job does, in words. */
function jobWords(job, now = Date.now()) {
	switch (job.state) {
	case 'waiting': return 'Waiting for the first byte';
	case 'running': return `${amount(job)}${pace(job)}`;
	case 'paused': return `Paused at ${amount(job)}`;
	case 'retrying': return `${job.fault} Next try in ${Math.max(0, Math.ceil((job.retryAt - now) / 1000))} s, at ${amount(job)}`;
	case 'saving': return 'Saving the file';
	case 'done': return `Done, ${formatBytes(job.received)}`;
	case 'cancelled': return 'Cancelled';
	default: return `Failed: ${job.fault}`;
	}
}

function buildRow(job, downloads, redraw) {
	const parts = {
		name: el('span', { class: 'dl-name', title: job.name }, job.name),
		bar: el('progress', { max: 1, 'aria-label': `Progress of ${job.name}` }),
		words: el('p', { class: 'small quiet' }),
		note: el('p', { class: 'small dl-note', hidden: true }),
		pause: button('pause', `Pause ${job.name}`, () => downloads.pause(job)),
		resume: button('play', `Go on with ${job.name}`, () => downloads.resume(job)),
		cancel: button('close', `Cancel ${job.name}`, () => downloads.cancel(job)),
		forget: button('close', `Remove ${job.name} from the list`, () => { downloads.remove(job); redraw(); }),
	};

	parts.root = el('li', { class: 'dl' }, el('div', { class: 'dl-head' }, icon('film'), parts.name, parts.pause, parts.resume, parts.cancel, parts.forget),
		parts.bar, parts.words, parts.note);
	return parts;
}

function drawRow(parts, job) {
	const ended = hasEnded(job);

	parts.root.dataset.state = job.state;
	parts.bar.hidden = ended;
	if (job.total)
		parts.bar.value = job.received / job.total;
	else
		parts.bar.removeAttribute('value');
	setText(parts.words, jobWords(job));
	setText(parts.note, job.note);
	parts.note.hidden = !job.note;
	parts.pause.hidden = ended || job.paused;
	parts.resume.hidden = ended || !job.paused;
	parts.cancel.hidden = ended;
	parts.forget.hidden = !ended;
}

/** Shows downloads (download.js); returns what is to be called when one changes. */
export function mountDownloadList(root, downloads) {
	const list = el('ul', { class: 'dl-list' });
	const rows = new Map();
	let asked = false;

	root.append(list);

	function draw() {
		asked = false;
		root.hidden = !downloads.jobs.length;
		for (const [job, parts] of rows)
			if (!downloads.jobs.includes(job)) {
				parts.root.remove();
				rows.delete(job);
			}
		for (const job of [...downloads.jobs].reverse()) {
			if (!rows.has(job)) {
				rows.set(job, buildRow(job, downloads, draw));
				list.prepend(rows.get(job).root);
			}
			drawRow(rows.get(job), job);
		}
	}

	/* A waiting job counts its seconds down. */
	setInterval(() => downloads.jobs.some((job) => !hasEnded(job)) && draw(), 500);
	draw();
	return () => {
		if (!asked)
			requestAnimationFrame(draw);
		asked = true;
	};
}
