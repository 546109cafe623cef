using CcmFhir.Fhir;
using CcmFhir.Journal;

namespace CcmFhir.Intake;

/// <summary>One try at a set of entries: what it has read, what it would write, and what references mean in it. A lost race throws it away.</summary>
internal sealed class Attempt
{
    /// <summary>Starts a try.</summary>
    /// <param name="records">Streams, cached.</param>
    /// <param name="arrival">Who brings the entries, and when.</param>
    /// <param name="entries">The entries, in R4's order of processing.</param>
    /// <param name="map">What fullUrls of the Bundle mean already.</param>
    /// <param name="atomic">All or nothing: the entries are one transaction.</param>
    /// <param name="fresh">Ask the store where streams stand, in place of going by what this process saw last.</param>
    public Attempt(
        StreamRecords records,
        Arrival arrival,
        IReadOnlyList<Entry> entries,
        ReferenceMap map,
        bool atomic,
        bool fresh
    )
    {
        Arrival = arrival;
        Entries = entries;
        Map = map;
        Atomic = atomic;
        Fresh = fresh;
        View = new PracticeRecords(records, arrival.Practice.Slug);
        Writes = new PendingWrites(arrival.Practice);
    }

    /// <summary>Who brings the entries, and when.</summary>
    public Arrival Arrival { get; }

    /// <summary>The entries, in R4's order of processing.</summary>
    public IReadOnlyList<Entry> Entries { get; }

    /// <summary>What references mean.</summary>
    public ReferenceMap Map { get; }

    /// <summary>The practice as this try sees it.</summary>
    public PracticeRecords View { get; }

    /// <summary>What it would write.</summary>
    public PendingWrites Writes { get; }

    /// <summary>All or nothing.</summary>
    public bool Atomic { get; }

    /// <summary>Streams are asked for anew.</summary>
    public bool Fresh { get; }

    /// <summary>A derived id was found taken, and the next one chosen: everything begins anew.</summary>
    public bool StartOver { get; set; }

    /// <summary>The stream that an append is prepared on.</summary>
    public ValueTask<StreamRecord> StreamAsync(string stream, CancellationToken cancel) =>
        Fresh ? View.StreamAsync(stream, cancel) : View.StreamToAppendAsync(stream, Makes, cancel);

    // What is sent to be created, or to be stored under an id of the sender's, is mostly new. A Patient has no key of its own in the index, nor have
    // Claims that an earlier build issued; and what is read, patched, deleted or found by a condition needs the stream.
    private List<(string Type, string Id)>? Makes(string stream)
    {
        var makes = new List<(string, string)>();
        foreach (var entry in Entries)
        {
            if (entry.Verb == Verb.Get)
            {
                return null;
            }
            if (entry.Refused || entry.Stream != stream)
            {
                continue;
            }
            if (
                entry is not { Verb: Verb.Post or Verb.Put, IfNoneExist: null, Criteria: null, TargetId: { } id }
                || entry.Type is "Patient" or "Claim"
            )
            {
                return null;
            }
            makes.Add((entry.Type, id));
        }
        return makes;
    }
}
