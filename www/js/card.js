/*
 * card.js - one range in the strip: its first and last picture, its marks, how
 * long it is, and what of it is missing.
 */
import * as edits from './edit.js';
import { absolute, urls } from './api.js';
import { el, icon, setText } from './dom.js';
import { formatDuration, formatTime } from './time.js';

const SETTLED = 350; /* ms without a change, before a picture is asked for */
const RETRIES = 4;

/* A picture of the archive that follows a moment, asked for when that rests. */
function picture(app, alt) {
	const image = el('img', { alt, loading: 'lazy', decoding: 'async', height: 60, width: 132, hidden: true });
	let timer = null;
	let tries = 0;
	let wanted = '';

	/* In a hole there is no picture to ask for. */
	async function set(url, moment) {
		const holes = await app.coverage.holesIn(moment, moment + 1).catch(() => []);

		if (url === wanted && !holes.some((hole) => hole.from <= moment))
			image.src = url;
	}

	image.addEventListener('load', () => image.classList.add('there'));
	image.addEventListener('error', () => {
		image.classList.remove('there');
		if (tries++ < RETRIES)
			timer = setTimeout(() => {
				const { src } = image;

				image.removeAttribute('src');
				image.src = src;
			}, 2000 * tries);
	});
	return {
		node: image,
		show(moment) {
			const { channel, quality } = app.store.state;
			const url = moment === null || !quality ? '' : absolute(urls.frame(channel, quality, moment, 120));

			if (url === wanted)
				return;
			wanted = url;
			tries = 0;
			clearTimeout(timer);
			image.classList.remove('there');
			image.removeAttribute('src');
			image.hidden = !url;
			if (url)
				timer = setTimeout(set, SETTLED, url, moment);
		},
	};
}

/* A mark: its moment (shows its picture), and buttons that move it by a picture. */
function markRow(app, id, mark, label) {
	const { marks } = app;
	const time = el('button', { type: 'button', class: 'bare time', on: { click: () => marks.show(id, mark) } });
	const nudge = (n, what) => el('button', {
		type: 'button', class: 'bare icon nudge', 'aria-label': `${label} ${what}`, title: `${label} ${what}`,
		on: { click: () => marks.nudge(id, mark, n) },
	}, icon(n < 0 ? 'minus' : 'plus'));
	const before = nudge(-1, 'a picture earlier');
	const after = nudge(1, 'a picture later');

	return {
		node: el('div', { class: 'mark' }, el('span', { class: 'quiet small' }, label), before, time, after),
		update(ms) {
			const text = ms === null ? '—' : formatTime(ms, app.store.state.clock);

			setText(time, ms === null ? text : text.slice(-12).trim());
			time.title = ms === null ? `${label} is not set` : `${text}: show it`;
			time.setAttribute('aria-label', ms === null ? `${label} is not set` : `${label} ${text}, show it`);
			for (const one of [before, time, after])
				one.disabled = ms === null;
		},
	};
}

/* What is missing in a range, once that is known. */
function holesTag(app) {
	const tag = el('button', { type: 'button', class: 'tag bad holes', hidden: true });
	let asked = '';
	let first = null;

	tag.addEventListener('click', () => first !== null && app.player.seek(Math.max(first - 2000, 0)));
	return {
		node: tag,
		async update(range) {
			const key = `${app.store.state.channel}/${app.store.state.quality} ${range.in} ${range.out}`;

			if (key === asked)
				return;
			asked = key;
			if (range.in === null || range.out === null) {
				tag.hidden = true;
				return;
			}
			const holes = await app.coverage.holesIn(range.in, range.out).catch(() => null);

			if (asked !== key)
				return;
			tag.hidden = !holes?.length;
			if (holes?.length) {
				const sum = holes.reduce((ms, hole) => ms + hole.to - hole.from, 0);

				first = holes[0].from;
				setText(tag, `${holes.length} ${holes.length === 1 ? 'hole' : 'holes'}, ${formatDuration(sum, 1)}`);
				tag.title = 'Nothing was recorded there: show the first';
			}
		},
	};
}

/* Cards can be dragged to another place; buttons do the same. */
function makeMovable(node, app, id) {
	node.draggable = true;
	node.addEventListener('dragstart', (event) => {
		event.dataTransfer.setData('application/x-range', String(id));
		event.dataTransfer.effectAllowed = 'move';
		node.classList.add('dragged');
	});
	node.addEventListener('dragend', () => node.classList.remove('dragged'));
	node.addEventListener('dragover', (event) => {
		if (event.dataTransfer.types.includes('application/x-range')) {
			event.preventDefault();
			node.classList.add('target');
		}
	});
	node.addEventListener('dragleave', () => node.classList.remove('target'));
	node.addEventListener('drop', (event) => {
		const other = Number(event.dataTransfer.getData('application/x-range'));

		event.preventDefault();
		node.classList.remove('target');
		app.history.change((edit) => edits.move(edit, other, edit.ranges.findIndex((range) => range.id === id)));
	});
}

/** The card of a range: { node, update(range, place) }. */
export function mountCard(app, id) {
	const { history, marks, player, store } = app;
	const first = picture(app, 'First picture');
	const last = picture(app, 'Last picture');
	const from = markRow(app, id, 'in', 'In');
	const to = markRow(app, id, 'out', 'Out');
	const holes = holesTag(app);
	const title = el('button', { type: 'button', class: 'bare title', on: { click: () => history.change((edit) => edits.select(edit, id)) } });
	const length = el('span', { class: 'time length' });
	const act = (label, drawing, run) => el('button', { type: 'button', class: 'bare icon', title: label, 'aria-label': label, on: { click: run } }, icon(drawing));
	const place = () => store.state.edit.ranges.findIndex((range) => range.id === id);
	const moveTo = (by) => () => history.change((edit) => edits.move(edit, id, place() + by));
	const left = act('Move to the front', 'back', moveTo(-1));
	const right = act('Move to the back', 'forward', moveTo(1));
	const play = act('Play the edit from here', 'play', () => {
		const whole = edits.wholeOf(store.state.edit).ranges.findIndex((range) => range.id === id);

		if (whole >= 0)
			player.playEdit(whole);
	});
	const node = el('li', { class: 'card' },
		el('div', { class: 'bar' }, title, length, holes.node, el('div', { class: 'spacer' }), play, left, right,
			act('Remove this range', 'trash', () => marks.remove(id))),
		el('div', { class: 'body' },
			el('div', { class: 'end' }, first.node, from.node),
			el('div', { class: 'end' }, last.node, to.node)));

	makeMovable(node, app, id);
	return {
		node,
		update(range, i) {
			const { edit, frameMs } = store.state;
			const isWhole = range.in !== null && range.out !== null;

			setText(title, String(i + 1));
			title.setAttribute('aria-label', `Range ${i + 1}`);
			title.setAttribute('aria-pressed', String(edit.selected === id));
			node.classList.toggle('selected', edit.selected === id);
			setText(length, isWhole ? formatDuration(range.out - range.in, 3) : 'not finished');
			from.update(range.in);
			to.update(range.out);
			left.disabled = i === 0;
			right.disabled = i === edit.ranges.length - 1;
			play.disabled = !isWhole;
			first.show(range.in);
			last.show(range.out === null ? null : Math.max(range.out - Math.ceil(frameMs), range.in ?? 0));
			holes.update(range);
		},
	};
}
