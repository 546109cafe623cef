namespace CcmFhir.Journal;

/// <summary>The journal's surroundings do not let it work now: disk full or read-only, file locked by another process, storage away or
/// throttling. Nothing is half applied; the same call may be tried again, and works when the condition has ended. HTTP answers 503.</summary>
public sealed class JournalUnavailableException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>What is there cannot be read as our journal: a foreign file, a later format, a torn or changed file or blob. Trying again
/// does not help; the message says what does.</summary>
public sealed class JournalUnreadableException(string message, Exception? inner = null) : IOException(message, inner);
