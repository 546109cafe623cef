using System.Globalization;
using Azure;
using Azure.Identity;

namespace CcmFhir.Journal;

/// <summary>The storage service's faults in our words.</summary>
internal static class StorageFaults
{
    /// <summary>Makes a call; whatever it ends with but an answer is a <see cref="JournalUnavailableException"/>.</summary>
    /// <param name="what">What is called, such as <c>container 'journal'</c>.</param>
    /// <param name="call">The call, answers that are expected taken out.</param>
    public static async Task<T> GuardAsync<T>(string what, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (RequestFailedException fault)
        {
            var how = fault.Status switch
            {
                401 or 403 =>
                    "refuses us: see to the roles 'Storage Blob Data Contributor' and 'Storage Table Data Contributor', or to the key",
                404 => "is not there: it was deleted, or the setting names another one",
                429 or 503 => "is throttling: it will take more in a while",
                _ => string.Create(CultureInfo.InvariantCulture, $"failed with {fault.Status} {fault.ErrorCode}"),
            };
            throw new JournalUnavailableException($"The journal's {what} {how}.", fault);
        }
        catch (Exception fault)
            // Identities come from a service that can be away as well.
            when (fault
                    is AggregateException
                        or TimeoutException
                        or HttpRequestException
                        or AuthenticationFailedException
                || fault is IOException and not JournalUnreadableException and not JournalUnavailableException
            )
        {
            throw new JournalUnavailableException($"The journal's {what} cannot be reached now.", fault);
        }
    }
}
