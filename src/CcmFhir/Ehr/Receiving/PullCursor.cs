using System.Text.Json;
using System.Text.Json.Serialization;
using CcmFhir.Journal;

namespace CcmFhir.Ehr.Receiving;

/// <summary>How far each patient, and the last bulk export, were read from an EHR. It stands in the journal; a round that breaks off leaves it where it
/// was, so that the next one reads the same again.</summary>
/// <param name="store">The journal.</param>
internal sealed class PullCursor(IJournalStore store)
{
    /// <summary>Stands for the whole of a bulk export.</summary>
    public const string Bulk = "*";

    /// <summary>The instants from which changes are to be read, by patient.</summary>
    public async Task<IReadOnlyDictionary<string, DateTimeOffset>> ReadAsync(string practice, CancellationToken cancel)
    {
        var since = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        foreach (var entry in await store.ReadAsync(Stream(practice), 0, cancel))
        {
            var line = JsonSerializer.Deserialize<Line>(entry.Payload.Span)!;
            foreach (var patient in line.Patients)
            {
                since[patient] = line.Since;
            }
        }
        return since;
    }

    /// <summary>When the last round ended; null when there was none.</summary>
    public async Task<DateTimeOffset?> LastAsync(string practice, CancellationToken cancel) =>
        (await store.ReadAsync(Stream(practice), 0, cancel)) is [.., var last]
            ? JsonSerializer.Deserialize<Line>(last.Payload.Span)!.At
            : null;

    /// <summary>Patients were read whole as of an instant.</summary>
    public async Task AdvanceAsync(
        string practice,
        IReadOnlyList<string> patients,
        DateTimeOffset since,
        DateTimeOffset at,
        CancellationToken cancel
    )
    {
        var payload = JsonSerializer.SerializeToUtf8Bytes(new Line(at, since, patients));
        while (true)
        {
            var position = (await store.ReadAsync(Stream(practice), 0, cancel)).Count;
            var appended = await store.AppendAsync(
                new JournalCommit([new StreamAppend(Stream(practice), position, payload)], []),
                cancel
            );
            if (appended.Outcome == AppendOutcome.Appended)
            {
                return;
            }
        }
    }

    private static string Stream(string practice) => $"pull/{practice}";

    private sealed record Line(
        [property: JsonPropertyName("at")] DateTimeOffset At,
        [property: JsonPropertyName("since")] DateTimeOffset Since,
        [property: JsonPropertyName("patients")] IReadOnlyList<string> Patients
    )
    {
        /// <summary>Tells two lines of one content apart.</summary>
        [JsonPropertyName("nonce")]
        public Guid Nonce { get; init; } = Guid.NewGuid();
    }
}
