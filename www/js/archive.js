/*
 * archive.js - which channels and qualities there are, and which is shown.
 */
import { urls } from './api.js';

/** What of a list is chosen: the wanted one, else the preferred, else the first. */
const choose = (list, wanted, preferred) =>
	list.includes(wanted) ? wanted : wanted ? '' : list.includes(preferred) ? preferred : list[0] ?? '';

const MOST_ASKED = 16;
const CHAT_CHECK = 60 * 1000;

/* The channel that was recorded last, of those that have anything; hours sort by time. */
async function newestOf(api, channels) {
	const newest = await Promise.all(channels.slice(0, MOST_ASKED).map(async (channel) => {
		const qualities = (await api.json(urls.qualities(channel))).filter((quality) => quality !== 'chat');
		const hours = qualities.length ? await api.json(urls.hours(channel, choose(qualities, '', 'source'))) : [];

		return { channel, hour: hours.at(-1) ?? '' };
	}));

	return newest.reduce((best, one) => one.hour > best.hour ? one : best, newest[0])?.channel ?? '';
}

/** Loads the lists, and again when the channel changes or the server is back. */
export function createArchive(app) {
	const { store, api } = app;

	async function loadChannels() {
		const channels = await api.json(urls.channels());

		store.set({ channels });
		if (!store.state.channel)
			store.set({ channel: channels.length > 1 ? await newestOf(api, channels) : channels[0] ?? '' });
	}

	async function loadQualities(channel, wanted) {
		const all = await api.json(urls.qualities(channel));
		const qualities = all.filter((quality) => quality !== 'chat');

		/* Meanwhile another one may have been chosen. */
		if (store.state.channel === channel)
			store.set({ qualities, hasChat: all.includes('chat'), quality: choose(qualities, wanted, 'source') });
	}

	async function load() {
		try {
			await loadChannels();
			if (store.state.channel)
				await loadQualities(store.state.channel, store.state.quality);
			store.set({ trouble: '' });
		} catch (error) {
			store.set({ trouble: error.message });
		}
	}

	/* Chat may begin later than the video. */
	setInterval(() => {
		const { channel, qualities, hasChat, quality } = store.state;

		if (channel && qualities && !hasChat)
			loadQualities(channel, quality).catch(() => {});
	}, CHAT_CHECK);

	return {
		load,
		/** Shows another channel; its first quality of the same name, or "source". */
		async setChannel(channel) {
			const was = store.state.quality;

			store.set({ channel, qualities: null, hasChat: false, archive: null, quality: '', trouble: '' });
			try {
				await loadQualities(channel, '');
				if (store.state.qualities?.includes(was))
					store.set({ quality: was });
			} catch (error) {
				store.set({ trouble: error.message });
			}
		},
	};
}
