import type { Container } from '@handwired/host';
import {
  $,
  both,
  type ChapterContent,
  type Command,
  either,
  giveBack,
  not,
  noteBefore,
  noteFile,
  type Sh,
} from '@handwired/course';

export const chapter: ChapterContent = {
  title: 'Names in the containers',
  needs: ['egress'],
  points: 10,
  steps: [
    {
      id: 'folder',
      title: 'Make a folder of settings for each container.',
      why: "A network namespace has no files of its own: without this, /etc/resolv.conf in a container is the host's, and writing to it changes the host. Often it names 127.0.0.53, where nobody listens in the container.",
      docker: {
        does: 'Keeps a resolv.conf for each container under /var/lib/docker/containers/ID.',
        source: 'daemon/libnetwork/sandbox_dns_unix.go: setupResolutionFiles',
      },
      build: ({ ct1, ct2 }) =>
        [ct1, ct2].map((ct) =>
          noteBefore(
            folderNote,
            $`echo made`,
            { done: $`test -d ${settingsFolder(ct)}`, run: $`mkdir -p ${settingsFolder(ct)}` },
            not($`test -d ${settings}`),
          ),
        ),
      undo: ({ ct1, ct2 }) => [
        ...[ct2, ct1].map((ct) => ({
          done: not($`test -d ${settingsFolder(ct)} && test -z "$(ls -A ${settingsFolder(ct)})"`),
          run: $`rmdir ${settingsFolder(ct)}`,
        })),
        giveBack(folderNote, $`rmdir ${settings}`, $`test -d ${settings} && test -z "$(ls -A ${settings})"`),
      ],
    },
    {
      id: 'resolver',
      title: 'Write down which name server the containers ask.',
      why: '`ip netns exec NAME` mounts /etc/netns/NAME/resolv.conf over /etc/resolv.conf for the command that it starts, and for nothing else.',
      docker: {
        does: "Mounts its file into the container. On the default bridge it has the host's servers without those on loopback; on a network of yours it names 127.0.0.11, where Docker's own server listens in the container.",
        source: 'daemon/libnetwork/sandbox_dns_unix.go: setupDNS, rebuildDNS',
      },
      object: { name: 'resolv.conf', for: 'which name server is asked', docker: '--dns, or 127.0.0.11' },
      build: ({ ct1, ct2, resolver }) =>
        [ct1, ct2].map((ct) =>
          noteBefore(
            nameFileNote(ct),
            $`cat ${resolverFile(ct)}`,
            writeResolver(ct, resolver),
            // An empty file is what this command itself leaves when it is cut off.
            $`test -s ${resolverFile(ct)}`,
          ),
        ),
      undo: ({ ct1, ct2, resolver }) => [
        ...[ct2, ct1].map((ct) =>
          giveBack(
            nameFileNote(ct),
            $`cp ${noteFile(nameFileNote(ct))} ${resolverFile(ct)}`,
            $`test -d ${settingsFolder(ct)}`,
          ),
        ),
        ...[ct2, ct1].map((ct) => ({
          done: not(
            both(
              $`test -e ${resolverFile(ct)}`,
              either(hasResolver(ct, resolver), not($`test -s ${resolverFile(ct)}`)),
            ),
          ),
          run: $`rm ${resolverFile(ct)}`,
        })),
      ],
    },
  ],
  cleanup: {
    title: "Remove the containers' settings.",
    why: 'They are files: they outlive the namespaces, and a namespace of the same name would find them.',
    docker: {
      does: "Removes the container's resolv.conf with its folder when the container is removed.",
      source: 'daemon/delete.go: cleanupContainer',
    },
  },
};

/** Where ip-netns(8) looks for a container's own /etc/resolv.conf. */
const settings = '/etc/netns';
/** The folder of a container's own settings. */
export const settingsFolder = ({ name }: Container): string => `${settings}/${name}`;
/** A container's own /etc/resolv.conf. */
export const resolverFile = (ct: Container): string => `${settingsFolder(ct)}/resolv.conf`;

/** The names of two notes: that the build made the settings folder, and what a container's file held before. */
const folderNote = 'etc-netns';
const nameFileNote = ({ name }: Container): string => `resolv.conf-${name}`;

/** The container's file names that resolver, and holds nothing else. */
const hasResolver = (ct: Container, resolver: string): Sh =>
  $`echo nameserver ${resolver} | cmp -s - ${resolverFile(ct)}`;

/** Makes the container's file name that resolver, and nothing else. */
export const writeResolver = (ct: Container, resolver: string): Command => ({
  done: hasResolver(ct, resolver),
  run: $`echo nameserver ${resolver} > ${resolverFile(ct)}`,
});
