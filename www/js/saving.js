/*
 * saving.js - where a file goes that the page has or fetches.
 */
import { blobSink, fileSink } from './download.js';
import { el } from './dom.js';

/** Hands a Blob to the browser as a download. */
export function saveBlob(blob, name) {
	const url = URL.createObjectURL(blob);
	const link = el('a', { href: url, download: name });

	link.click();
	setTimeout(() => URL.revokeObjectURL(url), 60000);
}

/**
 * A sink (download.js) for a file of that name; to be called from a click.
 * The user may choose the place where the browser allows it; null where that
 * was called off.
 */
export async function openSink(name) {
	const asBlob = () => blobSink(async (blob) => saveBlob(blob, name));

	if (!window.showSaveFilePicker)
		return asBlob();
	try {
		return await fileSink(await window.showSaveFilePicker({ suggestedName: name }));
	} catch (error) {
		return error.name === 'AbortError' ? null : asBlob();
	}
}
