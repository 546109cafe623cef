namespace CcmFhir.Journal;

/// <summary>Lets one writer of this process at a time to each stream; the others wait in turn.</summary>
internal sealed class StreamGates
{
    private readonly Dictionary<string, Gate> gates = new(StringComparer.Ordinal);

    /// <summary>Waits until all of the streams are free, and holds them until the answer is disposed.</summary>
    public async Task<IDisposable> EnterAsync(IEnumerable<string> streams, CancellationToken cancel)
    {
        var turn = new Turn(this);
        try
        {
            // In one order for everybody: nobody waits for one who waits for him.
            foreach (var stream in streams.Order(StringComparer.Ordinal))
            {
                var gate = Take(stream);
                try
                {
                    await gate.Free.WaitAsync(cancel);
                }
                catch (OperationCanceledException)
                {
                    Leave(stream, gate, held: false);
                    throw;
                }
                turn.Held.Add((stream, gate));
            }
            return turn;
        }
        catch (OperationCanceledException)
        {
            turn.Dispose();
            throw;
        }
    }

    private Gate Take(string stream)
    {
        lock (gates)
        {
            if (!gates.TryGetValue(stream, out var gate))
            {
                gates.Add(stream, gate = new Gate());
            }
            gate.Users++;
            return gate;
        }
    }

    private void Leave(string stream, Gate gate, bool held)
    {
        lock (gates)
        {
            if (held)
            {
                gate.Free.Release();
            }
            if (--gate.Users == 0)
            {
                gates.Remove(stream);
                gate.Free.Dispose();
            }
        }
    }

    private sealed class Gate
    {
        public SemaphoreSlim Free { get; } = new(1);

        public int Users { get; set; }
    }

    private sealed class Turn(StreamGates owner) : IDisposable
    {
        public List<(string Stream, Gate Gate)> Held { get; } = [];

        public void Dispose()
        {
            foreach (var (stream, gate) in Held)
            {
                owner.Leave(stream, gate, held: true);
            }
            Held.Clear();
        }
    }
}
