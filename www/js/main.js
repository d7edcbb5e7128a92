/*
 * main.js - puts the page together: the state, the parts that show it, and the
 * address that keeps it.
 */
import { createApi } from './api.js';
import { createArchive } from './archive.js';
import { formatAddress, parseAddress } from './address.js';
import { mountChat } from './chat.js';
import { createCoverage } from './coverage.js';
import { el } from './dom.js';
import { createHistory } from './edit.js';
import { mountChoices, mountJump, mountShare, mountTabs } from './head.js';
import { mountKeys } from './keys.js';
import { createMarks } from './marks.js';
import { createPlayer } from './player.js';
import { createNotices, mountBanner, mountShade } from './states.js';
import { createStore } from './store.js';
import { mountStrip } from './strip.js';
import { mountTimeline } from './timeline.js';
import { mountTransport } from './transport.js';

const REMEMBERED = 'restreamer'; /* of this browser: volume and clock */
const WRITE_DELAY = 400; /* ms; browsers take a hundred addresses in half a minute, or two */
const MOST_WRITES = 20; /* at once */

const byId = (id) => document.getElementById(id);

function remembered() {
	try {
		return JSON.parse(localStorage.getItem(REMEMBERED)) ?? {};
	} catch {
		return {};
	}
}

function firstState() {
	const address = parseAddress(location.hash);
	const own = remembered();

	return {
		channel: address.channel, quality: address.quality, channels: null, qualities: null,
		clock: address.clock ?? { zone: own.zone === 'local' ? 'local' : 'utc', zero: null },
		edit: address.edit, at: address.at,
		player: 'idle', mode: 'archive', playing: false, following: false, rate: 1, frameMs: 1000 / 60,
		volume: typeof own.volume === 'number' ? Math.min(Math.max(own.volume, 0), 1) : 1, muted: own.muted === true,
		hasChat: false, archive: null, grewAt: null, isEmpty: false, view: null, health: 'ok', trouble: '', tab: 'chat',
	};
}

/*
 * The state lives in the address, so that a link shares it.  follow(address) is
 * called with one that somebody typed, or a link on this page.
 */
function keepAddress(store, follow) {
	let timer = null;
	let written = location.hash;
	let writes = MOST_WRITES;

	function write() {
		const { state } = store;

		timer = null;
		if (!state.channel)
			return;
		const hash = formatAddress({ ...state, at: state.following ? null : state.at });

		if (hash !== written) {
			written = hash;
			history.replaceState(null, '', hash);
		}
	}

	/* While it plays the address stays where it began: it changes sixty times a second. */
	store.watch(['following', 'at', 'playing'], ({ playing }) => {
		timer ??= setTimeout(write, playing ? 10 * WRITE_DELAY : WRITE_DELAY);
	});
	/* What somebody made is written at once: it is not to be lost with the page. */
	store.watch(['channel', 'quality', 'edit', 'clock'], () => {
		clearTimeout(timer);
		if (writes > 0) {
			writes--;
			write();
		} else {
			timer = setTimeout(write, WRITE_DELAY);
		}
	});
	setInterval(() => {
		writes = Math.min(MOST_WRITES, writes + 1);
	}, WRITE_DELAY);
	store.watch(['volume', 'muted', 'clock'], ({ volume, muted, clock }) => {
		try {
			localStorage.setItem(REMEMBERED, JSON.stringify({ volume, muted, zone: clock.zone }));
		} catch {
			/* A browser that keeps nothing. */
		}
	});
	addEventListener('hashchange', () => {
		if (location.hash === written)
			return;
		written = location.hash;
		follow(parseAddress(location.hash));
	});
	return () => {
		clearTimeout(timer);
		write();
		return location.href;
	};
}

/* Panels that are not seen at first are brought when they are opened. */
function loadPanels(panels, app) {
	const asked = new Set();

	app.store.watch(['tab'], ({ tab }) => {
		if (!panels[tab] || asked.has(tab))
			return;
		asked.add(tab);
		panels[tab]().catch(() => {
			asked.delete(tab);
			byId(tab).replaceChildren(el('div', { class: 'state' }, el('strong', {}, 'This part could not be loaded'),
				el('p', {}, 'Open it again when the server can be reached.')));
		});
	});
}

/*
 * What is chosen is opened when it is known how far it reaches, and not again
 * while that grows.  Another quality goes on where the one before was.
 */
function openWhatIsChosen({ store, player }) {
	let chosen = '';
	let reachedTo = 0;
	let open = null; /* the channel that is open */
	let before = {}; /* what went on in the channel that was open before */

	store.watch(['channel', 'quality', 'archive'], ({ channel, quality, archive, playing, following }) => {
		const now = archive && quality ? `${channel}/${quality}` : '';

		if (now === chosen) {
			if (now && archive.to > reachedTo)
				store.set({ grewAt: Date.now() });
			reachedTo = archive?.to ?? 0;
			return;
		}
		if (chosen) {
			before = { channel: open, playing, following };
			player.close();
		}
		chosen = now;
		reachedTo = archive?.to ?? 0;
		store.set({ grewAt: null });
		if (!now)
			return;
		const { playing: goesOn, following: follows } = before.channel === channel ? before : {};

		open = channel;
		player.prepared.then(() => {
			if (now !== chosen)
				return;
			store.set({ following: follows ?? false });
			player.open();
			if (goesOn)
				player.play();
		});
	});
	store.watch(['channel'], ({ channel }) => {
		document.title = channel ? `${channel} – restreamer` : 'restreamer';
	});
}

function main() {
	const store = createStore(firstState());
	const { state } = store;
	const app = {
		store,
		say: createNotices(byId('notices')),
		api: createApi((health) => store.set({ health })),
		history: createHistory(() => state.edit, (edit) => store.set({ edit })),
	};
	const archive = createArchive(app);

	app.address = keepAddress(store, (address) => {
		const { channel, quality, at, edit, clock } = address;

		app.history.change(() => edit);
		store.set({ clock: clock ?? state.clock });
		if (channel !== state.channel || quality !== state.quality) {
			store.set({ channel, quality, at, qualities: null, hasChat: false });
			archive.load();
		} else if (at !== null) {
			app.player.seek(at);
		} else {
			app.player.follow();
		}
	});
	app.setChannel = (channel) => archive.setChannel(channel);
	app.coverage = createCoverage(app);
	app.player = createPlayer(byId('video'), app);
	app.marks = createMarks(app);
	let preview = null;

	app.preview = async (url, title) => {
		preview ??= import('./preview.js').then(({ mountPreview }) => mountPreview(byId('preview'), app));
		try {
			(await preview)(url, title);
		} catch {
			preview = null;
			app.say('The preview could not be loaded', { kind: 'bad' });
		}
	};
	app.openTab = mountTabs(byId('tabs'), app);
	app.searchChat = () => {
		app.openTab('chat');
		chat.focusSearch();
	};
	/* The server is back, or what was not there may be now. */
	app.restart = async () => {
		store.set({ trouble: '' });
		await archive.load();
		app.coverage.refresh();
		app.player.retry();
	};
	/* To where there is something to see, before or behind a hole. */
	app.skipHole = async (direction) => {
		const to = await app.coverage.nextRecorded(state.at, direction).catch(() => null);

		if (to === null)
			app.say(direction > 0 ? 'Nothing was recorded after this.' : 'Nothing was recorded before this.', { kind: 'bad' });
		else
			app.player.seek(to);
	};
	mountChoices({ channel: byId('channel'), quality: byId('quality'), clock: byId('clock'), zero: byId('set-zero') }, app);
	mountJump(byId('jump'), app);
	mountShare(byId('share'), app);
	mountTransport(byId('transport'), app);
	mountShade(byId('shade'), app);
	mountBanner(byId('notices'), app);
	mountTimeline(byId('timeline'), app);
	mountStrip(byId('strip'), app);
	const chat = mountChat(byId('chat'), app);
	loadPanels({
		cut: async () => (await import('./cut.js')).mountCut(byId('cut'), app),
		picture: async () => (await import('./picture.js')).mountPicture(byId('picture'), app),
	}, app);
	mountKeys(byId('keys'), app);
	/* Not by the address, which has the state. */
	document.querySelector('.skip').addEventListener('click', (event) => {
		event.preventDefault();
		byId('stage').focus();
	});

	openWhatIsChosen(app);
	archive.load();
	/* What is not there yet may come. */
	setInterval(() => {
		if (!state.channels?.length || (state.qualities && !state.qualities.length))
			archive.load();
	}, 5000);
}

main();
