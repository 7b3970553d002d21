// Brings a file with tus-js-client, as a page or an app would. Arguments: a JSON object of
//   endpoint, token, file, metadata   what is brought where
//   url          an upload that is gone on with
//   chunk        most bytes of a request; all that is left when absent
//   stopAt       abort when so many bytes were sent
//   terminate    end the upload instead
// Prints one line of JSON: the address of the upload, and whether it was sent to its end.
import { readFileSync } from 'node:fs';
import * as tus from 'tus-js-client';

const asked = JSON.parse(process.argv[2]);
const headers = { Authorization: `Bearer ${asked.token}` };
const say = (told) => {
  process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit(0));
};

if (asked.terminate) {
  await tus.Upload.terminate(asked.url, { headers, retryDelays: [] });
  say({ url: asked.url, terminated: true });
} else {
  const upload = new tus.Upload(readFileSync(asked.file), {
    endpoint: asked.endpoint,
    uploadUrl: asked.url,
    chunkSize: asked.chunk ?? Number.POSITIVE_INFINITY,
    metadata: asked.metadata,
    headers,
    retryDelays: [0, 200, 1000],
    removeFingerprintOnSuccess: true,
    onProgress(sent) {
      if (asked.stopAt && sent >= asked.stopAt) {
        upload.abort().then(() => say({ url: upload.url, whole: false, sent }));
      }
    },
    onSuccess: () => say({ url: upload.url, whole: true }),
    onError(error) {
      process.stderr.write(`${error}\n`);
      process.exit(1);
    },
  });
  upload.start();
}
