import type { Reason } from './reasons.js';

/** Reasons that only events give, each with what happened. */
export const EVENT_REASONS = {
  ApiClosed: 'Containers reach the API at an address no longer, because none asks for it.',
  ApiReachable: 'Containers reach the API.',
  ApiUnreachable: 'Containers do not reach the API.',
  Applied: 'A commit of a repository was accepted.',
  BootConfigChanged: 'The boot configuration was written; it counts after a restart of the device.',
  Cancelling: 'A download was ended, because nobody needs the image any more.',
  Configuring: 'The device is being configured.',
  Confirmed: 'A change of the host has proved itself and stays.',
  DeclaredAgain: 'A document with the same name or appId follows when this one is gone.',
  Deleting: 'An image was deleted.',
  DownloadFailed: 'An attempt to download an image failed.',
  EngineAnswers: 'The engine answers again.',
  EngineEnded: 'The process of the private engine has ended; it is started again.',
  EngineNotStarted: 'The private engine could not be started again; it is tried once more.',
  EngineStarted: 'The private engine was started again.',
  Exited: 'A container ended though nobody had asked for it.',
  FileUnusable: 'A file of the agent could not be read and was set aside.',
  ForeignEdit: 'Boot configuration that somebody else had changed was put back.',
  Keeping: 'Images of a release are kept, because something that runs uses them.',
  Kept: 'An image was left alone, because a container of somebody else uses it.',
  LeftOut: 'A field or a service of the document has no effect on this device.',
  Loaded: 'An image was loaded from a file on the device.',
  Locked: 'The update lock of the application was taken.',
  NotConfirmed: 'A change of the host has not proved itself in time.',
  ProxyChanged: 'The proxy of the host was set or taken away.',
  Pruning: 'Documents of a release that the App no longer declares were given up.',
  Recovered: 'What was broken works again.',
  Released: 'A release is complete.',
  Renamed: 'The host got another name.',
  Restarted: 'A service of the host was restarted, so that it reads its new configuration.',
  Resumed: 'A suspended App goes on.',
  RolledBack: 'What the host had before a change is back.',
  StatusNotPushed: 'The status could not be pushed to the repository.',
  Stray: 'Processes ran on of a container that the engine said did not run; they were killed.',
  Switched: 'A unit of the host was started or stopped.',
  Unlocked: 'The update lock of the application was given back.',
} as const satisfies Readonly<Record<string, string>>;

/** What an event is about, for programs: one of `EVENT_REASONS`, or the reason of a condition. */
export type EventReason = Reason | keyof typeof EVENT_REASONS;
