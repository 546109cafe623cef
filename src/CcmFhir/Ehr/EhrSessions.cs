using System.Collections.Concurrent;
using CcmFhir.Options;

namespace CcmFhir.Ehr;

/// <summary>The sessions of this process, one for each practice with an EHR, opened when first asked for.</summary>
/// <param name="practices">The practices.</param>
/// <param name="keys">Our keys.</param>
/// <param name="clock">The clock.</param>
internal sealed class EhrSessions(Practices practices, EhrKeys keys, TimeProvider clock) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<EhrSession>> open = new(StringComparer.Ordinal);

    /// <summary>The practices.</summary>
    public Practices Practices => practices;

    /// <summary>The clock.</summary>
    public TimeProvider Clock => clock;

    /// <summary>Our keys.</summary>
    public EhrKeys Keys => keys;

    /// <summary>The session with a practice's EHR; null when the practice has none.</summary>
    /// <exception cref="InvalidDataException">A certificate of the connection cannot be read.</exception>
    public EhrSession? Find(string practice) =>
        practices.Find(practice)?.Ehr is { } connection
            ? open.GetOrAdd(
                practice,
                slug => new Lazy<EhrSession>(() =>
                    new EhrSession(slug, connection, keys, clock) { File = practices.Find(slug) }
                )
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
