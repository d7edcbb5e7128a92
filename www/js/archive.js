/*
 * archive.js - which channels and qualities there are, and which is shown.
 */
import { urls } from './api.js';

/** What of a list is chosen: the wanted one, else the preferred, else the first. */
const choose = (list, wanted, preferred) =>
	list.includes(wanted) ? wanted : wanted ? '' : list.includes(preferred) ? preferred : list[0] ?? '';

/** Loads the lists, and again when the channel changes or the server is back. */
export function createArchive(app) {
	const { store, api } = app;

	async function loadChannels() {
		const channels = await api.json(urls.channels());

		store.set({ channels });
		if (!store.state.channel)
			store.set({ channel: channels[0] ?? '' });
	}

	async function loadQualities(channel) {
		const all = await api.json(urls.qualities(channel));
		const qualities = all.filter((quality) => quality !== 'chat');

		/* Meanwhile another one may have been chosen. */
		if (store.state.channel === channel)
			store.set({ qualities, quality: choose(qualities, store.state.quality, 'source') });
	}

	async function load() {
		try {
			await loadChannels();
			if (store.state.channel)
				await loadQualities(store.state.channel);
		} catch (error) {
			store.set({ trouble: error.message });
		}
	}

	return {
		load,
		/** Shows another channel; its first quality of the same name, or "source". */
		async setChannel(channel) {
			store.set({ channel, qualities: null, archive: null });
			try {
				const was = store.state.quality;

				store.set({ quality: '' });
				await loadQualities(channel);
				if (store.state.qualities?.includes(was))
					store.set({ quality: was });
			} catch (error) {
				store.set({ trouble: error.message });
			}
		},
	};
}
