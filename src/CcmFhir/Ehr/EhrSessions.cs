using System.Collections.Concurrent;

namespace CcmFhir.Ehr;

/// <summary>The sessions of this process, one for each practice with an EHR, opened when first asked for.</summary>
/// <param name="connections">The connections.</param>
/// <param name="keys">Our keys.</param>
/// <param name="clock">The clock.</param>
internal sealed class EhrSessions(EhrConnections connections, EhrKeys keys, TimeProvider clock) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<EhrSession>> open = new(StringComparer.Ordinal);

    /// <summary>The connections.</summary>
    public EhrConnections Connections => connections;

    /// <summary>Our keys.</summary>
    public EhrKeys Keys => keys;

    /// <summary>The session with a practice's EHR; null when the practice has none.</summary>
    /// <exception cref="InvalidDataException">A certificate of the connection cannot be read.</exception>
    public EhrSession? Find(string practice) =>
        connections.Find(practice) is { } connection
            ? open.GetOrAdd(
                practice,
                slug => new Lazy<EhrSession>(() => new EhrSession(slug, connection, keys, clock))
            ).Value
            : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var session in open.Values)
        {
            if (session.IsValueCreated)
            {
                session.Value.Dispose();
            }
        }
    }
}
